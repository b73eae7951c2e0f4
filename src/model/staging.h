// Page-locked memory of the host, through which tensors go to a device and come back.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace millstream {

// Note [Staging]
// A device copies from and to page-locked memory while the host goes on; a copy from ordinary memory holds the host up.
// Page-locked memory is dear and scarce, so there is little of it: what crosses is copied through buffers that are lent
// out in turn, kStagingBuffers each way, so that the host fills one while the device reads the other. A buffer is lent
// again when the device is done with it. What tensors go through it decides its size; it grows and does not shrink.

/// What a device does at the same time: each in its own order.
enum class DeviceStream { compute, upload, download };

/// The moment when a device has done what it was asked for on one stream.
class DeviceEvent {
public:
    virtual ~DeviceEvent() = default;
    [[nodiscard]] virtual bool reached() const = 0;
    virtual void wait() = 0;   ///< the host does
    /// What `stream` is asked for from now on begins behind it. The host goes on.
    virtual void hold(DeviceStream stream) = 0;
};

inline constexpr std::size_t kStagingBuffers = 2;

/// What the buffers of one way take when tensors of `bytes` all together go through one: Torch's allocator rounds up.
inline std::uint64_t staging_bytes(std::uint64_t bytes) {
    return kStagingBuffers * std::bit_ceil(bytes);
}

/// The buffers of one way. Thread-safe.
class Staging {
public:
    /// `allocate`: that many bytes as uint8. `waits` is raised whenever the host waits for the device.
    Staging(std::function<at::Tensor(std::int64_t)> allocate, std::atomic<std::int64_t>& waits)
        : allocate_(std::move(allocate)), waits_(waits) {}

    /// A buffer, as long as this exists.
    class Loan {
    public:
        ~Loan();
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;

        /// Contiguous, of the shapes and types that were asked for.
        [[nodiscard]] const std::vector<at::Tensor>& parts() const { return parts_; }
        /// The buffer may be lent again from `event` on, or at once. Without it the memory is let go: Torch's allocator
        /// knows what is still being copied.
        void done(std::shared_ptr<DeviceEvent> event = nullptr);

    private:
        friend class Staging;
        Loan(Staging& staging, const std::vector<at::Tensor>& tensors);
        void prepare(const std::vector<at::Tensor>& tensors);

        Staging& staging_;
        at::Tensor memory_;
        std::shared_ptr<DeviceEvent> busy_until_;
        std::vector<at::Tensor> parts_;
        bool done_ = false;
    };

    /// Room for tensors like these. Waits while all buffers are lent, and for the copy that the next one is busy with.
    Loan lend(const std::vector<at::Tensor>& tensors) { return {*this, tensors}; }
    /// Lets go of the memory of buffers that are not lent.
    void drop_idle();

private:
    struct Buffer {
        at::Tensor memory;                         // undefined = none yet
        std::shared_ptr<DeviceEvent> busy_until;   // null = idle
    };
    Buffer take();
    void give_back(Buffer buffer) noexcept;

    std::function<at::Tensor(std::int64_t)> allocate_;
    std::atomic<std::int64_t>& waits_;
    std::mutex mutex_;
    std::condition_variable returned_;
    // protected by mutex_
    std::array<Buffer, kStagingBuffers> buffers_;   // the first free_ are not lent, the one idle for longest first
    std::size_t free_ = kStagingBuffers;
};

}   // namespace millstream
