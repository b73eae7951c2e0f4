#include "model/torch_executor.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/thread.h"
#include "millstream/error.h"
#include "model/executor_error.h"
#include "model/lower.h"
#include "model/torch_program.h"

namespace millstream {
namespace {

at::ScalarType scalar_type(Precision precision) {
    return precision == Precision::bf16 ? at::kBFloat16 : precision == Precision::fp16 ? at::kHalf : at::kFloat;
}

/// A thread that runs one input at a time.
class Slot {
public:
    /// `link`: to the program's device; null = the host computes.
    Slot(std::size_t index, const TorchProgram& program, DeviceLink* link, int threads)
        : thread_("torch " + std::to_string(index), [this, &program, link, threads] { work(program, link, threads); }) {
    }
    ~Slot() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    void start(at::Tensor input, at::Tensor output) {
        {
            const std::lock_guard lock(mutex_);
            if (busy_) {
                throw Error(ErrorKind::internal, {"starting a network request", {}, "the slot is not idle", {}});
            }
            input_ = std::move(input);
            output_ = std::move(output);
            busy_ = true;
        }
        changed_.notify_all();
    }

    std::exception_ptr wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !busy_; });
        return std::exchange(failure_, nullptr);
    }

private:
    static void run(const TorchProgram& program, DeviceLink* link, const at::Tensor& input, at::Tensor& output) {
        if (link == nullptr || link->holds(input)) {
            program.run(input, output);   // on a device nobody waits: what reads the output is behind it in its stream
            return;
        }
        at::Tensor result = at::empty(output.sizes(), output.options().device(link->device()));
        program.run(link->upload({input}).front(), result);
        link->download({result}, {output});
    }

    void work(const TorchProgram& program, DeviceLink* link, int threads) {
        at::set_num_threads(threads);   // of OpenMP: a setting of the calling thread
        const c10::InferenceMode inference;
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ended_ || busy_; });
            if (!busy_) {
                return;
            }
            at::Tensor input = std::move(input_);
            at::Tensor output = std::move(output_);
            lock.unlock();
            std::exception_ptr failure;
            try {
                run(program, link, input, output);
            } catch (...) {
                failure = std::current_exception();
            }
            input.reset();
            output.reset();
            lock.lock();
            failure_ = std::move(failure);
            busy_ = false;
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    // protected by mutex_
    at::Tensor input_;
    at::Tensor output_;
    std::exception_ptr failure_;
    bool busy_ = false;
    bool ended_ = false;
    NamedThread thread_;   // last: started after, joined before the rest
};

class TorchExecutor final : public Executor {
public:
    TorchExecutor(const Network& network, const ExecutorSettings& settings)
        : name_(network.name),
          precision_(settings.precision),
          link_(settings.links.empty() ? nullptr : settings.links.front()),
          program_(program_of(network, settings)) {
        const int share = std::max(1, settings.threads / std::max(1, settings.requests));
        for (int i = 0; i < std::max(1, settings.requests); ++i) {
            slots_.push_back(std::make_unique<Slot>(static_cast<std::size_t>(i), program_, link_.get(), share));
        }
    }

    [[nodiscard]] std::size_t requests() const override { return slots_.size(); }
    void start(std::size_t request, at::Tensor input, at::Tensor output) override {
        slots_.at(request)->start(std::move(input), std::move(output));
    }
    void wait(std::size_t request) override {
        if (const std::exception_ptr failure = slots_.at(request)->wait()) {
            throw_executor_error(failure, "running the network on Torch", name_);
        }
    }
    [[nodiscard]] Backend backend() const override { return Backend::torch; }
    [[nodiscard]] Precision precision() const override { return precision_; }

private:
    static TorchProgram program_of(const Network& network, const ExecutorSettings& settings) {
        const c10::InferenceMode inference;
        at::set_num_threads(settings.threads);
        const at::Device device = settings.links.empty() ? at::Device(at::kCPU) : settings.links.front()->device();
        return {lowered(network), device, scalar_type(settings.precision)};
    }

    std::string name_;
    Precision precision_;
    std::shared_ptr<DeviceLink> link_;
    TorchProgram program_;
    std::vector<std::unique_ptr<Slot>> slots_;
};

}   // namespace

std::unique_ptr<Executor> make_torch_executor(const Network& network, const ExecutorSettings& settings) {
    try {
        return std::make_unique<TorchExecutor>(network, settings);
    } catch (...) {
        throw_executor_error(std::current_exception(), "preparing the network for Torch", network.name);
    }
}

}   // namespace millstream
