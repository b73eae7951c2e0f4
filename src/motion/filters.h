// Image filters that the reference flow and the temporal lock are made of, in tensor operations of any device.
// Images are [1,c,h,w] float32. Borders replicate the outermost pixel unless said otherwise. Nothing here writes to
// its arguments or waits for a device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace millstream {

enum class Interpolation { bilinear, bicubic };   ///< bicubic: a = -0.75, as Torch's grid_sampler

/// Rec. 601 luma of R, G, B: [1,3,h,w] -> [1,1,h,w].
at::Tensor luma(const at::Tensor& rgb);

/// Where a backward flow points: pixel coordinates x, y plus `flow`, both [1,2,h,w].
at::Tensor displaced_coordinates(const at::Tensor& flow);

/// image(p + flow(p)). `flow`: [1,2,h,w] pixels of `image`'s own grid.
at::Tensor warp(const at::Tensor& image, const at::Tensor& flow, Interpolation interpolation);

/// [1,1,h,w] bool: p + flow(p) lies inside the frame.
at::Tensor lands_inside(const at::Tensor& flow);

/// Mean over side x side pixels; `side` is odd.
at::Tensor box_mean(const at::Tensor& image, std::int64_t side);

/// Central differences of a [1,1,h,w] image: [1,2,h,w], d/dx and d/dy per pixel.
at::Tensor slopes(const at::Tensor& image);

/// Means of 2x2 pixels; an odd side replicates its last line first.
at::Tensor halve(const at::Tensor& image);

/// Median of 3x3 pixels.
at::Tensor median3x3(const at::Tensor& image);

/// A flow of the grid that halve() made, for the [height,width] grid it was made of: bilinear, twice the values.
at::Tensor flow_for_doubled_grid(const at::Tensor& flow, std::int64_t height, std::int64_t width);

}   // namespace millstream
