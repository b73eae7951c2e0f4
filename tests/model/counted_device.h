// A device that is none: its memory is the host's, with a limit, and every way there and back is counted.
#pragma once

#include <ATen/Functions.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

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

/// Goes nowhere: what is sent is copied. Its arithmetic is the host's and done at once; its copies are done as late as
/// may be, when somebody waits for them, and until then what is to be written holds noise. What does not wait, or
/// reuses a buffer too early, gets wrong pictures.
class CountedDevice : public DeviceLink {
public:
    /// `resident`: every tensor counts as being there.
    explicit CountedDevice(CountedMemory& memory, bool resident = false) : memory_(memory), resident_(resident) {}
    [[nodiscard]] bool holds(const at::Tensor& /*tensor*/) const override { return resident_; }
    [[nodiscard]] at::Device device() const override { return at::kCPU; }
    [[nodiscard]] void* native(DeviceStream /*stream*/) const override { return nullptr; }
    bool limit(std::uint64_t bytes) override {
        memory_.limit(bytes);
        return true;
    }
    std::uint64_t take_peak_bytes() override { return memory_.take_peak(); }
    [[nodiscard]] std::uint64_t held_bytes() const override { return memory_.live(); }

    struct Counts {
        std::int64_t buffers = 0;   ///< of page-locked memory that were made
        std::uint64_t page_locked_bytes = 0;
        std::int64_t page_locked_copies = 0;
        std::int64_t pageable_copies = 0;
        std::int64_t copies_of_its_own = 0;   ///< within its memory
        std::int64_t host_waits = 0;
        std::map<DeviceStream, std::int64_t> asked;   ///< copies by stream
    };
    [[nodiscard]] Counts counts() {
        const std::lock_guard lock(mutex_);
        return counts_;
    }

private:
    struct Stream {
        std::deque<std::function<void()>> waiting;
        std::int64_t asked = 0;
        std::int64_t done = 0;
    };

    class Event final : public DeviceEvent {
    public:
        Event(CountedDevice& device, DeviceStream stream, std::int64_t position)
            : device_(device), stream_(stream), position_(position) {}
        [[nodiscard]] bool reached() const override {
            const std::lock_guard lock(device_.mutex_);
            return device_.streams_[stream_].done >= position_;
        }
        void wait() override {
            const std::lock_guard lock(device_.mutex_);
            ++device_.counts_.host_waits;
            device_.work(stream_, position_);
        }
        void hold(DeviceStream stream) override {
            const std::lock_guard lock(device_.mutex_);
            if (stream == DeviceStream::compute) {   // its work follows at once
                device_.work(stream_, position_);
            } else {
                device_.ask(stream, [this_event = *this] {
                    this_event.device_.work(this_event.stream_, this_event.position_);
                });
            }
        }

    private:
        CountedDevice& device_;
        DeviceStream stream_;
        std::int64_t position_;
    };

    at::Tensor page_locked(std::int64_t bytes) override {
        const std::shared_ptr<std::byte[]> memory(
            new (std::align_val_t{64}) std::byte[static_cast<std::size_t>(bytes)],
            [](std::byte* begin) { ::operator delete[](begin, std::align_val_t{64}); });
        const std::lock_guard lock(mutex_);
        ++counts_.buffers;
        counts_.page_locked_bytes += static_cast<std::uint64_t>(bytes);
        page_locked_.emplace_back(memory.get(), bytes);
        return at::from_blob(
            memory.get(), {bytes}, [memory](void*) {}, at::TensorOptions().dtype(at::kByte));
    }
    at::Tensor send(const at::Tensor& staged) override {
        at::Tensor there = at::empty_like(staged);
        copy_later(DeviceStream::upload, staged, there);
        count(staged);
        return there;
    }
    at::Tensor copy_of(const at::Tensor& theirs) override {
        at::Tensor ours = at::empty(theirs.sizes(), theirs.options());
        std::memset(ours.data_ptr(), 0x55, static_cast<std::size_t>(ours.nbytes()));
        const std::lock_guard lock(mutex_);
        ++counts_.copies_of_its_own;
        ask(DeviceStream::upload, [=] { ours.copy_(theirs); });
        return ours;
    }
    void copy_into(const at::Tensor& result, const at::Tensor& theirs) override {
        const std::lock_guard lock(mutex_);
        ++counts_.copies_of_its_own;
        ask(DeviceStream::download, [=] { theirs.copy_(result); });
    }
    void receive(const at::Tensor& result, const at::Tensor& staged) override {
        copy_later(DeviceStream::download, result, staged);
        count(staged);
    }
    std::shared_ptr<DeviceEvent> now(DeviceStream stream) override {
        const std::lock_guard lock(mutex_);
        return std::make_shared<Event>(*this, stream, streams_[stream].asked);
    }

    void copy_later(DeviceStream stream, const at::Tensor& from, const at::Tensor& to) {
        EXPECT_TRUE(from.is_contiguous() && to.is_contiguous());
        const auto bytes = static_cast<std::size_t>(from.nbytes());
        std::memset(to.data_ptr(), 0x55, bytes);
        const std::lock_guard lock(mutex_);
        ++counts_.asked[stream];
        ask(stream, [=] { std::memcpy(to.data_ptr(), from.data_ptr(), bytes); });
    }
    // The rest is called with mutex_ held.
    void ask(DeviceStream stream, std::function<void()> work) {
        streams_[stream].waiting.push_back(std::move(work));
        ++streams_[stream].asked;
    }
    void work(DeviceStream which, std::int64_t position) {
        Stream& stream = streams_[which];
        while (stream.done < position) {
            const std::function<void()> next = std::move(stream.waiting.front());
            stream.waiting.pop_front();
            ++stream.done;
            next();
        }
    }
    void count(const at::Tensor& host) {
        const std::lock_guard lock(mutex_);
        const auto* const begin = static_cast<const std::byte*>(host.const_data_ptr());
        const bool inside = std::any_of(page_locked_.begin(), page_locked_.end(), [&](const auto& buffer) {
            return begin >= buffer.first && begin < buffer.first + buffer.second;
        });
        ++(inside ? counts_.page_locked_copies : counts_.pageable_copies);
    }

    CountedMemory& memory_;
    bool resident_;
    std::mutex mutex_;
    // protected by mutex_
    std::map<DeviceStream, Stream> streams_;
    std::vector<std::pair<const std::byte*, std::int64_t>> page_locked_;
    Counts counts_;
};

}   // namespace millstream
