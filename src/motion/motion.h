// Room `motion`: what changed between a frame and the one before it, measured on the network's input: scene cuts, dense
// flow, the predecessor brought to this frame's place, and how far it is off. Knows tensors, no video and no network.
// This header: the result.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>

namespace millstream {

/// How a frame follows from its predecessor. Computed once a frame; read by whatever makes use of the frame before.
/// Tensors are of the input's size [h,w] and on its device; readers share them and must not write to them.
struct Motion {
    /// Nothing before this frame helps: the first frame, a scene cut, another size, an explicit reset. Every tensor is
    /// undefined then.
    bool cut = true;
    at::Tensor flow;   ///< [2,h,w] float32: what is at p was at p + flow(p), x and y in pixels; below 0.12 px 0
    at::Tensor
        light;   ///< [2] float32: gain and offset that bring the predecessor to this frame's light; see Note [Fades]
    at::Tensor warped;     ///< [3,h,w] float32: the predecessor's input at p + flow(p), bilinear, in this frame's light
    at::Tensor residual;   ///< [h,w] float32, 0..1: mean over R, G, B of |input - warped|
    at::Tensor difference;   ///< [h,w] float32: luma of input - warped
    at::Tensor noise;   ///< [] float32: what noise and coding leave of a residual, at most 8/255; see noise_scale()
    at::Tensor valid;   ///< [h,w] bool: p + flow(p) lies inside the frame
    at::Tensor still;   ///< [h,w] bool: the 5x5 input pixels around p are the predecessor's, bit for bit

    /// Memory held, all tensors together.
    [[nodiscard]] std::size_t bytes() const;
};

}   // namespace millstream
