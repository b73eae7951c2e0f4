// The way of tensors to a device with memory of its own, and back.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

    /// `host` as a tensor of the device. `host` must stay as it is until the next download() of the same thread.
    at::Tensor upload(const at::Tensor& host);
    /// Copies each of `results` into that of `hosts` (same shape and type), and waits once, until all are there.
    void download(const std::vector<at::Tensor>& results, const std::vector<at::Tensor>& hosts);
    /// Waits until everything asked of the device so far is done.
    void wait();

    /// No more than this many bytes are taken from the device from now on, by the whole process: what would pass it is
    /// out of memory. False where the limit cannot be set.
    virtual bool limit(std::uint64_t bytes) = 0;
    /// The largest number of bytes in use since the last call, caches not counted; 0 = not told.
    virtual std::uint64_t take_peak_bytes() = 0;
    /// Bytes that Torch's allocator holds there now, caches included; 0 = not told.
    [[nodiscard]] virtual std::uint64_t held_bytes() const = 0;

    [[nodiscard]] const LinkTraffic& traffic() const { return traffic_; }

private:
    virtual at::Tensor send(const at::Tensor& host) = 0;
    virtual void receive(const at::Tensor& result, const at::Tensor& host) = 0;   ///< may return before it is there
    virtual void synchronise() = 0;

    LinkTraffic traffic_;
};

/// Of a device whose word is "cuda:N" (model/device.h), which must be there.
std::shared_ptr<DeviceLink> open_device_link(const std::string& word);

}   // namespace millstream
