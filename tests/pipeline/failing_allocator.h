// Memory that runs out once, at a chosen moment.
#pragma once

#include <c10/core/CPUAllocator.h>

#include <atomic>
#include <new>

namespace millstream {

/// Torch's allocator for the CPU for as long as it exists; fails the n-th allocation since it was made.
class FailingAllocator final : public c10::Allocator {
public:
    explicit FailingAllocator(int fail_at) : inner_(c10::GetCPUAllocator()), fail_at_(fail_at) {
        c10::SetCPUAllocator(this, kPriority);
    }
    ~FailingAllocator() override { c10::SetCPUAllocator(inner_, kPriority); }
    FailingAllocator(const FailingAllocator&) = delete;
    FailingAllocator& operator=(const FailingAllocator&) = delete;

    c10::DataPtr allocate(std::size_t bytes) override {
        if (count_.fetch_add(1) + 1 == fail_at_) {
            throw std::bad_alloc();
        }
        return inner_->allocate(bytes);
    }
    c10::DeleterFnPtr raw_deleter() const override { return inner_->raw_deleter(); }
    void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
    [[nodiscard]] int count() const { return count_.load(); }

private:
    static constexpr std::uint8_t kPriority = 100;
    c10::Allocator* inner_;
    int fail_at_;
    std::atomic<int> count_{0};
};

}   // namespace millstream
