// The part of the lock that works on output pixels, in tensor operations: one code for every device, and the reference
// the CPU's own implementation is tested against.
#pragma once

#include <ATen/core/Tensor.h>

namespace millstream {

/// What the blend needs of a frame. `weight` 0..1 says how much of the history each input pixel takes.
struct BlendInputs {
    at::Tensor history;   ///< [3,H,W] float32: the last output
    at::Tensor flow;      ///< [2,h,w] float32, input pixels
    at::Tensor light;     ///< [2] float32: gain and offset for the history
    at::Tensor weight;    ///< [h,w] float32
    at::Tensor still;     ///< [h,w] bool: copy the history
};

/// Mixes the history into `frame`, [3,H,W] float32, in place; see Note [The lock]. Never waits for the device.
void reference_blend(at::Tensor& frame, const BlendInputs& inputs);

}   // namespace millstream
