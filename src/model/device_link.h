// The way of tensors to a device with memory of its own, and back.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/staging.h"

namespace millstream {

/// What has crossed so far. Any thread.
struct LinkTraffic {
    std::atomic<std::int64_t> uploads{0};
    std::atomic<std::uint64_t> uploaded_bytes{0};
    std::atomic<std::int64_t> downloads{0};
    std::atomic<std::uint64_t> downloaded_bytes{0};
    std::atomic<std::int64_t> synchronisations{0};   ///< times the host waited for the device
};

/// One device. Thread-safe. upload() and download() throw what Torch throws, out of memory included.
class DeviceLink {
public:
    virtual ~DeviceLink() = default;

    [[nodiscard]] virtual at::Device device() const = 0;
    /// Whether `tensor` is there already.
    [[nodiscard]] virtual bool holds(const at::Tensor& tensor) const = 0;

    /// Each of `hosts` as a contiguous tensor of the device; what the calling thread asks of it from now on finds them
    /// there. `hosts` have been read when it returns; the host has not waited, unless no buffer was free (Note
    /// [Staging]).
    std::vector<at::Tensor> upload(const std::vector<at::Tensor>& hosts);
    /// Copies of `theirs`, tensors over memory of this device that somebody else lends (a hardware decoder) and that
    /// was written on the stream of uploads: contiguous, made on that stream. The host waits until they are, so that
    /// the memory can be given back. What the calling thread asks of the device from now on finds them there.
    std::vector<at::Tensor> take_over(const std::vector<at::Tensor>& theirs);
    /// Copies each of `results` into that of `theirs` (same shape and type), memory of this device that somebody else
    /// lends (an encoder), as download() does into the host's.
    void hand_over(const std::vector<at::Tensor>& results, const std::vector<at::Tensor>& theirs);
    /// A stream as the device's driver has it (CUDA: CUstream); null: it has none.
    [[nodiscard]] virtual void* native(DeviceStream stream) const = 0;
    /// Copies each of `results` into that of `hosts` (same shape and type) behind all that the calling thread has asked
    /// of the device, and waits once, until they are there.
    void download(const std::vector<at::Tensor>& results, const std::vector<at::Tensor>& hosts);
    /// Lets go of the buffers that tensors travel through; they are made again when they are needed.
    void drop_buffers();

    /// No more than this many bytes are taken from the device from now on, by the whole process: what would pass it is
    /// out of memory. False where the limit cannot be set.
    virtual bool limit(std::uint64_t bytes) = 0;
    /// The largest number of bytes in use since the last call, caches not counted; 0 = not told.
    virtual std::uint64_t take_peak_bytes() = 0;
    /// Bytes that Torch's allocator holds there now, caches included; 0 = not told.
    [[nodiscard]] virtual std::uint64_t held_bytes() const = 0;

    [[nodiscard]] const LinkTraffic& traffic() const { return traffic_; }

private:
    /// That many bytes of page-locked host memory, as uint8.
    virtual at::Tensor page_locked(std::int64_t bytes) = 0;
    /// A tensor of the device that the calling thread's work may use; `staged` gets there on the upload stream.
    virtual at::Tensor send(const at::Tensor& staged) = 0;
    /// On the download stream.
    virtual void receive(const at::Tensor& result, const at::Tensor& staged) = 0;
    /// send() and receive() within the device.
    virtual at::Tensor copy_of(const at::Tensor& theirs) = 0;
    virtual void copy_into(const at::Tensor& result, const at::Tensor& theirs) = 0;
    /// The moment when all is done that `stream` has been asked for so far.
    virtual std::shared_ptr<DeviceEvent> now(DeviceStream stream) = 0;

    LinkTraffic traffic_;
    Staging up_{[this](std::int64_t bytes) { return page_locked(bytes); }, traffic_.synchronisations};
    Staging down_{[this](std::int64_t bytes) { return page_locked(bytes); }, traffic_.synchronisations};
};

/// Of a device whose word is "cuda:N" (model/device.h), which must be there.
std::shared_ptr<DeviceLink> open_device_link(const std::string& word);

}   // namespace millstream
