#include "model/torch_executor.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <condition_variable>
#include <filesystem>
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
    Slot(std::size_t index, const TorchProgram& program, at::Device device, int threads)
        : thread_("torch " + std::to_string(index),
                  [this, &program, device, threads] { work(program, device, threads); }) {}
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
    void work(const TorchProgram& program, at::Device device, int threads) {
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
                program.run(input, output);
                if (!device.is_cpu()) {
                    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
                }
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
          device_(settings.device),
          program_(program_of(network, settings)) {
        const int share = std::max(1, settings.threads / std::max(1, settings.requests));
        for (int i = 0; i < std::max(1, settings.requests); ++i) {
            slots_.push_back(std::make_unique<Slot>(static_cast<std::size_t>(i), program_, device_, share));
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
        const at::Device device(settings.device);
        return {lowered(network), device, scalar_type(settings.precision)};
    }

    std::string name_;
    Precision precision_;
    at::Device device_;
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

void require_torch_device(const std::string& device) {
    const auto refuse = [&device](const std::string& why, const std::string& hint) {
        throw Error(ErrorKind::usage, {"choosing the device", device, why, hint});
    };
    std::optional<at::Device> parsed;
    try {
        parsed.emplace(device);
    } catch (const std::exception&) {
        refuse("it is not the name of a device", "Write for example cpu, cuda or cuda:1");
    }
    if (parsed->is_cpu()) {
        return;
    }
    if (!parsed->is_cuda()) {
        refuse("only cpu and cuda devices are supported", {});
    }
    // Not linked: without it the program starts in a quarter of the time, and runs where it is missing.
    Dl_info here{};
    const bool found = dladdr(reinterpret_cast<void*>(&at::get_num_threads), &here) != 0;
    const auto library = std::filesystem::path(found ? here.dli_fname : "").parent_path() / "libtorch_cuda.so";
    if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* reason = dlerror();
        refuse(std::string("Torch's CUDA library cannot be loaded: ") + (reason != nullptr ? reason : "unknown"),
               "Set up with ./dev setup --cuda, or use --device cpu");
    }
    if (!at::globalContext().hasCUDA()) {
        refuse("Torch finds no CUDA device", "Check nvidia-smi, or use --device cpu");
    }
}

}   // namespace millstream
