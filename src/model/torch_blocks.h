// Elementwise functions whose result does not depend on where a tensor ends.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <cstdint>

namespace millstream {

// Note [Blocks]
// Torch's elementwise loops on the CPU cut a tensor into as many pieces as there are threads, and compute what is left
// over behind the last whole vector of a piece with other code, whose exp() differs in the last bit. Where a tile's
// pieces end elsewhere than the whole frame's, its pixels would differ. So functions with an exp() in them are given
// blocks of whole vectors, the last one padded.

/// `function(y, x)` writes y = f(x) for flat tensors. `x` may be overwritten where `in_place` says so.
template <class Function>
at::Tensor in_blocks(const at::Tensor& input, bool in_place, const Function& function) {
    constexpr std::int64_t block = 1 << 12;   // elements; a multiple of every vector length
    constexpr std::int64_t blocks_a_task = 16;
    const at::Tensor x = input.is_non_overlapping_and_dense() ? input : input.contiguous();
    at::Tensor y = in_place ? x : at::empty_like(x);   // the same dense layout: flat views of both go together
    const std::int64_t count = x.numel();
    const at::Tensor from = x.as_strided({count}, {1});
    const at::Tensor to = y.as_strided({count}, {1});
    at::parallel_for(0, count / block, blocks_a_task, [&](std::int64_t first, std::int64_t end) {
        const c10::InferenceMode inference;   // a setting of each thread
        at::Tensor part = to.narrow(0, first * block, (end - first) * block);
        function(part, from.narrow(0, first * block, (end - first) * block));
    });
    if (const std::int64_t rest = count % block; rest != 0) {
        at::Tensor padded = at::zeros({block}, x.options());
        padded.narrow(0, 0, rest).copy_(from.narrow(0, count - rest, rest));
        at::Tensor result = at::empty_like(padded);
        function(result, padded);
        to.narrow(0, count - rest, rest).copy_(result.narrow(0, 0, rest));
    }
    return y;
}

}   // namespace millstream
