#include "model/device_link.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/Functions.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <algorithm>

// Torch's own header for its CUDA allocator needs the CUDA run time's, which the wheels bring along; where they are
// missing the limit cannot be set. Nothing of it is linked.
#if __has_include(<cuda_runtime_api.h>)
#include <c10/cuda/CUDACachingAllocator.h>
#define MILLSTREAM_CUDA_ALLOCATOR 1
#endif

namespace millstream {
namespace {

std::uint64_t bytes_of(const at::Tensor& tensor) {
    return static_cast<std::uint64_t>(tensor.numel()) * tensor.element_size();
}

// A device that Torch knows, through its device-generic interface.
class TorchLink final : public DeviceLink {
public:
    explicit TorchLink(at::Device device) : device_(device) {}

    [[nodiscard]] at::Device device() const override { return device_; }
    [[nodiscard]] bool holds(const at::Tensor& tensor) const override { return tensor.device() == device_; }

    bool limit([[maybe_unused]] std::uint64_t bytes) override {
#if defined(MILLSTREAM_CUDA_ALLOCATOR)
        // The symbol lies in a library that is loaded only where there is a device.
        using Allocator = std::atomic<c10::cuda::CUDACachingAllocator::CUDAAllocator*>;
        auto* const allocator =
            static_cast<Allocator*>(dlsym(RTLD_DEFAULT, "_ZN3c104cuda20CUDACachingAllocator9allocatorE"));
        if (allocator == nullptr || allocator->load() == nullptr) {
            return false;
        }
        const auto total = static_cast<double>(at::accelerator::getMemoryInfo(device_.index()).second);
        allocator->load()->setMemoryFraction(std::clamp(static_cast<double>(bytes) / total, 0.0, 1.0), device_.index());
        return true;
#else
        return false;
#endif
    }

    std::uint64_t take_peak_bytes() override {
        const auto stats = at::accelerator::getDeviceStats(device_.index());
        at::accelerator::resetPeakStats(device_.index());
        const auto& allocated =
            stats.allocated_bytes[static_cast<std::size_t>(at::CachingAllocator::StatType::AGGREGATE)];
        return static_cast<std::uint64_t>(std::max<std::int64_t>(allocated.peak, 0));
    }

    [[nodiscard]] std::uint64_t held_bytes() const override {
        const auto stats = at::accelerator::getDeviceStats(device_.index());
        const auto& held = stats.reserved_bytes[static_cast<std::size_t>(at::CachingAllocator::StatType::AGGREGATE)];
        return static_cast<std::uint64_t>(std::max<std::int64_t>(held.current, 0));
    }

private:
    at::Tensor send(const at::Tensor& host) override {
        return host.to(device_, host.scalar_type(), /*non_blocking=*/true);
    }
    void receive(const at::Tensor& result, const at::Tensor& host) override {
        host.copy_(result, /*non_blocking=*/true);
    }
    void synchronise() override {
        c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
    }

    at::Device device_;
};

}   // namespace

at::Tensor DeviceLink::upload(const at::Tensor& host) {
    at::Tensor there = send(host);
    traffic_.uploads.fetch_add(1);
    traffic_.uploaded_bytes.fetch_add(bytes_of(host));
    return there;
}

void DeviceLink::download(const std::vector<at::Tensor>& results, const std::vector<at::Tensor>& hosts) {
    for (std::size_t i = 0; i < results.size(); ++i) {
        receive(results[i], hosts.at(i));
        traffic_.downloads.fetch_add(1);
        traffic_.downloaded_bytes.fetch_add(bytes_of(hosts[i]));
    }
    wait();
}

void DeviceLink::wait() {
    synchronise();
    traffic_.synchronisations.fetch_add(1);
}

std::shared_ptr<DeviceLink> open_device_link(const std::string& word) {
    return std::make_shared<TorchLink>(at::Device(word));
}

}   // namespace millstream
