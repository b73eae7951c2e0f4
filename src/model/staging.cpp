#include "model/staging.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

namespace millstream {
namespace {

// Where a part begins: what Torch's allocators give, so that every type can be there.
constexpr std::int64_t kPartAlignment = 64;

std::int64_t room_for(const at::Tensor& tensor) {
    const std::int64_t bytes = tensor.numel() * static_cast<std::int64_t>(tensor.element_size());
    return (bytes + kPartAlignment - 1) / kPartAlignment * kPartAlignment;
}

}   // namespace

Staging::Loan::Loan(Staging& staging, const std::vector<at::Tensor>& tensors) : staging_(staging) {
    Buffer buffer = staging.take();
    memory_ = std::move(buffer.memory);
    busy_until_ = std::move(buffer.busy_until);
    try {
        prepare(tensors);
    } catch (...) {
        staging_.give_back({});
        throw;
    }
}

void Staging::Loan::prepare(const std::vector<at::Tensor>& tensors) {
    if (busy_until_ && !busy_until_->reached()) {
        busy_until_->wait();
        staging_.waits_.fetch_add(1);
    }
    busy_until_.reset();
    std::int64_t bytes = 0;
    for (const at::Tensor& tensor : tensors) {
        bytes += room_for(tensor);
    }
    const c10::InferenceMode off(false);   // any thread writes here, in that mode or not
    if (!memory_.defined() || memory_.numel() < bytes) {
        memory_.reset();
        memory_ = staging_.allocate_(bytes);
    }
    std::int64_t begin = 0;
    for (const at::Tensor& tensor : tensors) {
        const auto own = tensor.numel() * static_cast<std::int64_t>(tensor.element_size());
        parts_.push_back(memory_.narrow(0, begin, own).view(tensor.scalar_type()).view(tensor.sizes()));
        begin += room_for(tensor);
    }
}

void Staging::Loan::done(std::shared_ptr<DeviceEvent> event) {
    busy_until_ = std::move(event);
    done_ = true;
}

Staging::Loan::~Loan() {
    parts_.clear();
    staging_.give_back(done_ ? Buffer{std::move(memory_), std::move(busy_until_)} : Buffer{});
}

Staging::Buffer Staging::take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return free_ > 0; });
    --free_;
    Buffer buffer = std::move(buffers_.front());
    std::rotate(buffers_.begin(), buffers_.begin() + 1, buffers_.end());
    return buffer;
}

void Staging::give_back(Buffer buffer) noexcept {
    {
        const std::lock_guard lock(mutex_);
        buffers_[free_++] = std::move(buffer);
    }
    returned_.notify_one();
}

void Staging::drop_idle() {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < free_; ++i) {
        if (!buffers_[i].busy_until || buffers_[i].busy_until->reached()) {
            buffers_[i] = {};
        }
    }
}

}   // namespace millstream
