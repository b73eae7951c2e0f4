// Dense backward optical flow in tensor operations: one code for every device, and the reference the CPU's own
// implementation is tested against.
#pragma once

#include <ATen/core/Tensor.h>

#include "millstream/options.h"

namespace millstream {

/// What was at p in `luma` was at p + flow(p) in `previous`. Both [1,1,h,w] float32, 0..1, any device, h and w at least
/// 2. Returns [1,2,h,w], x and y in pixels. Never waits for the device.
///
/// Coarse to fine over a pyramid of 2x2 means: whole-pixel search at the coarsest level; then, at each finer one,
/// inverse-compositional patches (T. Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016) and one
/// combined local-global step (A. Bruhn et al., Lucas/Kanade Meets Horn/Schunck, IJCV 61(3), 2005), whose smoothness
/// term fills what has no texture from its surroundings; each ended by a 3x3 median.
at::Tensor reference_flow(const at::Tensor& luma, const at::Tensor& previous, FlowQuality quality);

}   // namespace millstream
