// Tensors of one shape whose memory is reused: a fresh 100 MB allocation a frame costs page faults and trims.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace millstream {

/// Hands out uninitialised float32 tensors of one shape and takes the memory back when the last reference to a tensor's
/// storage goes: on the CPU 64-byte aligned and by itself, elsewhere through Torch's own allocator, which keeps it,
/// too. Thread-safe. Tensors may outlive the pool.
class TensorPool {
public:
    explicit TensorPool(std::vector<std::int64_t> shape, at::Device device = at::kCPU);
    [[nodiscard]] at::Tensor take();
    /// Frees the memory that is not in use.
    void drop_idle();
    [[nodiscard]] std::int64_t live() const;
    [[nodiscard]] std::int64_t allocated()
        const;   ///< buffers there are: the peak of live(), unless idle ones were dropped
    [[nodiscard]] std::uint64_t tensor_bytes() const;

private:
    struct Buffers;
    std::vector<std::int64_t> shape_;
    at::Device device_;
    std::shared_ptr<Buffers> buffers_;
};

}   // namespace millstream
