#include "model/device_link.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/Functions.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
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

// The streams of one device. Work goes to the calling thread's own, which is the same for all threads that have not
// chosen another; copies go to two of Torch's pool, so that they run beside it.
struct TorchStreams {
    explicit TorchStreams(at::Device of_device)
        : guard(of_device.type()),
          device(of_device),
          upload(guard.getStreamFromGlobalPool(of_device)),
          download(guard.getStreamFromGlobalPool(of_device)) {}

    [[nodiscard]] c10::Stream of(DeviceStream stream) const {
        return stream == DeviceStream::compute  ? guard.getStream(device)
               : stream == DeviceStream::upload ? upload
                                                : download;
    }

    c10::impl::VirtualGuardImpl guard;
    at::Device device;
    c10::Stream upload;
    c10::Stream download;
};

class TorchEvent final : public DeviceEvent {
public:
    TorchEvent(const TorchStreams& streams, DeviceStream stream) : streams_(streams), event_(streams.device.type()) {
        event_.record(streams_.of(stream));
    }
    [[nodiscard]] bool reached() const override { return event_.query(); }
    void wait() override { event_.synchronize(); }
    void hold(DeviceStream stream) override { event_.block(streams_.of(stream)); }

private:
    TorchStreams streams_;
    c10::Event event_;
};

// A device that Torch knows, through its device-generic interface.
class TorchLink final : public DeviceLink {
public:
    explicit TorchLink(at::Device device) : device_(device), streams_(device) {}

    [[nodiscard]] at::Device device() const override { return device_; }
    [[nodiscard]] bool holds(const at::Tensor& tensor) const override { return tensor.device() == device_; }
    [[nodiscard]] void* native(DeviceStream stream) const override { return streams_.of(stream).native_handle(); }

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
    at::Tensor page_locked(std::int64_t bytes) override {
        return at::empty({bytes}, at::TensorOptions().dtype(at::kByte).pinned_memory(true));
    }
    at::Tensor send(const at::Tensor& staged) override {
        const c10::Stream work = streams_.of(DeviceStream::compute);
        // Allocated for the upload stream: its memory was free there, whatever the work in front of it still reads.
        const c10::StreamGuard guard(streams_.upload);
        at::Tensor there = at::empty(staged.sizes(), at::TensorOptions().dtype(staged.scalar_type()).device(device_));
        there.copy_(staged, /*non_blocking=*/true);
        streams_.guard.recordDataPtrOnStream(there.storage().data_ptr(), work);   // and not free before that is done
        return there;
    }
    at::Tensor copy_of(const at::Tensor& theirs) override {
        return send(theirs);
    }
    void copy_into(const at::Tensor& result, const at::Tensor& theirs) override {
        receive(result, theirs);
    }
    void receive(const at::Tensor& result, const at::Tensor& staged) override {
        const c10::StreamGuard guard(streams_.download);
        staged.copy_(result, /*non_blocking=*/true);
    }
    std::shared_ptr<DeviceEvent> now(DeviceStream stream) override {
        return std::make_shared<TorchEvent>(streams_, stream);
    }

    at::Device device_;
    TorchStreams streams_;
};

}   // namespace

std::vector<at::Tensor> DeviceLink::upload(const std::vector<at::Tensor>& hosts) {
    Staging::Loan staged = up_.lend(hosts);
    std::vector<at::Tensor> there;
    for (std::size_t i = 0; i < hosts.size(); ++i) {   // the host fills the next part while the device reads this one
        staged.parts()[i].copy_(hosts[i]);
        there.push_back(send(staged.parts()[i]));
        traffic_.uploads.fetch_add(1);
        traffic_.uploaded_bytes.fetch_add(bytes_of(hosts[i]));
    }
    std::shared_ptr<DeviceEvent> sent = now(DeviceStream::upload);
    sent->hold(DeviceStream::compute);
    staged.done(std::move(sent));
    return there;
}

std::vector<at::Tensor> DeviceLink::take_over(const std::vector<at::Tensor>& theirs) {
    std::vector<at::Tensor> ours;
    for (const at::Tensor& tensor : theirs) {
        ours.push_back(copy_of(tensor));
    }
    const std::shared_ptr<DeviceEvent> copied = now(DeviceStream::upload);
    copied->hold(DeviceStream::compute);
    copied->wait();
    traffic_.synchronisations.fetch_add(1);
    return ours;
}

void DeviceLink::download(const std::vector<at::Tensor>& results, const std::vector<at::Tensor>& hosts) {
    Staging::Loan staged = down_.lend(hosts);
    std::vector<at::Tensor> packed;
    for (const at::Tensor& result : results) {
        packed.push_back(result.contiguous());
    }
    now(DeviceStream::compute)->hold(DeviceStream::download);
    for (std::size_t i = 0; i < packed.size(); ++i) {
        receive(packed[i], staged.parts().at(i));
        traffic_.downloads.fetch_add(1);
        traffic_.downloaded_bytes.fetch_add(bytes_of(hosts[i]));
    }
    now(DeviceStream::download)->wait();
    traffic_.synchronisations.fetch_add(1);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        hosts[i].copy_(staged.parts()[i]);
    }
    staged.done();
}

void DeviceLink::hand_over(const std::vector<at::Tensor>& results, const std::vector<at::Tensor>& theirs) {
    now(DeviceStream::compute)->hold(DeviceStream::download);
    for (std::size_t i = 0; i < results.size(); ++i) {
        copy_into(results[i], theirs.at(i));
    }
    now(DeviceStream::download)->wait();
    traffic_.synchronisations.fetch_add(1);
}

void DeviceLink::drop_buffers() {
    up_.drop_idle();
    down_.drop_idle();
}

std::shared_ptr<DeviceLink> open_device_link(const std::string& word) {
    return std::make_shared<TorchLink>(at::Device(word));
}

}   // namespace millstream
