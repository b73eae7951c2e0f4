#include "frame/tensor_pool.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <mutex>
#include <utility>

#include "frame/aligned_bytes.h"

namespace millstream {

struct TensorPool::Buffers {
    std::size_t bytes = 0;
    mutable std::mutex mutex;
    // protected by mutex
    std::vector<AlignedBytes> idle;   // its capacity is never below `allocated`, so that give_back() cannot fail
    std::int64_t live = 0;
    std::int64_t allocated = 0;

    AlignedBytes take() {
        {
            const std::lock_guard lock(mutex);
            if (!idle.empty()) {
                AlignedBytes memory = std::move(idle.back());
                idle.pop_back();
                ++live;
                return memory;
            }
        }
        AlignedBytes memory = allocate_aligned(bytes);   // outside the lock: page faults take long
        const std::lock_guard lock(mutex);
        idle.reserve(static_cast<std::size_t>(allocated) + 1);
        ++allocated;
        ++live;
        return memory;
    }

    void give_back(std::byte* memory) noexcept {
        const std::lock_guard lock(mutex);
        idle.emplace_back(memory);
        --live;
    }
};

TensorPool::TensorPool(std::vector<std::int64_t> shape, at::Device device)
    : shape_(std::move(shape)), device_(device), buffers_(std::make_shared<Buffers>()) {
    buffers_->bytes = sizeof(float);
    for (const std::int64_t side : shape_) {
        buffers_->bytes *= static_cast<std::size_t>(side);
    }
}

at::Tensor TensorPool::take() {
    if (!device_.is_cpu()) {
        return at::empty(shape_, at::TensorOptions().dtype(at::kFloat).device(device_));
    }
    // shared_ptr calls its deleter even where its own construction throws, and from_blob drops the copy it holds:
    // on every path the memory returns to `idle` and `live` stays true.
    const std::shared_ptr<std::byte> memory(
        buffers_->take().release(), [buffers = buffers_](std::byte* floats) noexcept { buffers->give_back(floats); });
    return at::from_blob(
        memory.get(), shape_, [memory](void*) {}, at::TensorOptions().dtype(at::kFloat));
}

void TensorPool::drop_idle() {
    const std::lock_guard lock(buffers_->mutex);
    buffers_->allocated -= static_cast<std::int64_t>(buffers_->idle.size());
    buffers_->idle.clear();   // keeps its capacity, which give_back() relies on
}

std::int64_t TensorPool::live() const {
    const std::lock_guard lock(buffers_->mutex);
    return buffers_->live;
}

std::int64_t TensorPool::allocated() const {
    const std::lock_guard lock(buffers_->mutex);
    return buffers_->allocated;
}

std::uint64_t TensorPool::tensor_bytes() const {
    return buffers_->bytes;
}

}   // namespace millstream
