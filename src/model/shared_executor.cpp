#include "model/shared_executor.h"

#include <algorithm>
#include <utility>

#include "model/device.h"

namespace millstream {
namespace {

class SharedExecutor final : public Executor {
public:
    SharedExecutor(const Network& network, const ExecutorSettings& settings) {
        const std::vector<std::string> devices = device_words(settings.device);
        const auto count = static_cast<int>(devices.size());
        requests_ = static_cast<std::size_t>(std::max(settings.requests, count));
        for (int i = 0; i < count; ++i) {
            ExecutorSettings own = settings;
            own.device = devices[static_cast<std::size_t>(i)];
            own.links.clear();
            if (!settings.links.empty()) {
                own.links = {settings.links.at(static_cast<std::size_t>(i))};
            }
            own.requests = (static_cast<int>(requests_) - i + count - 1) / count;
            executors_.push_back(make_executor(network, own));
        }
    }

    [[nodiscard]] std::size_t requests() const override { return requests_; }
    void start(std::size_t request, at::Tensor input, at::Tensor output) override {
        executor(request).start(request / executors_.size(), std::move(input), std::move(output));
    }
    void wait(std::size_t request) override { executor(request).wait(request / executors_.size()); }
    [[nodiscard]] Backend backend() const override { return executors_.front()->backend(); }
    [[nodiscard]] Precision precision() const override { return executors_.front()->precision(); }

private:
    Executor& executor(std::size_t request) { return *executors_[request % executors_.size()]; }

    std::size_t requests_;
    std::vector<std::unique_ptr<Executor>> executors_;
};

}   // namespace

std::unique_ptr<Executor> make_shared_executor(const Network& network, const ExecutorSettings& settings) {
    return std::make_unique<SharedExecutor>(network, settings);
}

}   // namespace millstream
