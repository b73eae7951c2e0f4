// A device that is none: its memory is the host's, with a limit, and every way there and back is counted.
#pragma once

#include <ATen/Functions.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <unordered_map>

#include "model/device_link.h"

namespace millstream {

/// Torch's allocator for the CPU for as long as it exists: counts the bytes that live, and is out of memory beyond a
/// limit. Must outlive every tensor made meanwhile.
class CountedMemory final : public c10::Allocator {
public:
    CountedMemory() : inner_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, kPriority); }
    ~CountedMemory() override {
        c10::SetCPUAllocator(inner_, kPriority);
        current_ = nullptr;
    }
    CountedMemory(const CountedMemory&) = delete;
    CountedMemory& operator=(const CountedMemory&) = delete;

    c10::DataPtr allocate(std::size_t bytes) override {
        const std::lock_guard lock(mutex_);
        if (live_ + bytes > limit_) {
            throw c10::OutOfMemoryError({__func__, __FILE__, 0}, "the test device is out of memory");
        }
        c10::DataPtr data = inner_->allocate(bytes);
        if (data.get() == nullptr) {
            return data;   // of no bytes
        }
        live_ += bytes;
        peak_ = std::max(peak_, live_);
        sizes_[data.get()] = bytes;
        current_ = this;
        // The inner allocator's own deleter gives the memory back; this one counts first.
        deleter_ = data.get_deleter();
        void* const memory = data.release_context();
        return {memory, memory, &forget, data.device()};
    }
    c10::DeleterFnPtr raw_deleter() const override { return &forget; }
    void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }

    void limit(std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        limit_ = bytes;
    }
    [[nodiscard]] std::uint64_t live() {
        const std::lock_guard lock(mutex_);
        return live_;
    }
    std::uint64_t take_peak() {
        const std::lock_guard lock(mutex_);
        return std::exchange(peak_, live_);
    }

private:
    static constexpr std::uint8_t kPriority = 100;
    static void forget(void* memory) {
        if (memory == nullptr) {
            return;   // oneDNN gives its empty scratchpads back too, from any thread
        }
        {
            const std::lock_guard lock(current_->mutex_);
            current_->live_ -= current_->sizes_.at(memory);
            current_->sizes_.erase(memory);
        }
        current_->deleter_(memory);
    }
    inline static CountedMemory* current_ = nullptr;   // a deleter has no state of its own

    c10::Allocator* inner_;
    std::mutex mutex_;
    // protected by mutex_
    c10::DeleterFnPtr deleter_ = nullptr;
    std::unordered_map<void*, std::size_t> sizes_;
    std::uint64_t live_ = 0;
    std::uint64_t peak_ = 0;
    std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
};

/// Goes nowhere: what is sent is copied.
class CountedDevice : public DeviceLink {
public:
    /// `resident`: every tensor counts as being there.
    explicit CountedDevice(CountedMemory& memory, bool resident = false) : memory_(memory), resident_(resident) {}
    [[nodiscard]] bool holds(const at::Tensor& /*tensor*/) const override { return resident_; }
    [[nodiscard]] at::Device device() const override { return at::kCPU; }
    bool limit(std::uint64_t bytes) override {
        memory_.limit(bytes);
        return true;
    }
    std::uint64_t take_peak_bytes() override { return memory_.take_peak(); }
    [[nodiscard]] std::uint64_t held_bytes() const override { return memory_.live(); }

private:
    at::Tensor send(const at::Tensor& host) override { return host.clone(); }
    void receive(const at::Tensor& result, const at::Tensor& host) override { host.copy_(result); }
    void synchronise() override {}

    CountedMemory& memory_;
    bool resident_;
};

}   // namespace millstream
