// Planes as tensors <-> RGB tensor, in tensor operations: what convert.h does by zimg in the host's memory, on any
// device. Agrees with it within one code (Note [Chroma as matrices]).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "picture/picture.h"

namespace millstream {

/// The colour planes of a picture as tensors over its own memory, on the CPU: [rows,columns], uint8 or, where samples
/// have more than 8 bits, int16 (whose bits are the sample's). Rows may have gaps between them. Alpha is left out.
std::vector<at::Tensor> plane_tensors(const Picture& picture);

/// The same over the memory of `device`, which Picture::on_device numbers: each sample is where the decoder has put it,
/// with others between those of a row and empty bits below.
std::vector<at::Tensor> plane_tensors(const Picture& picture, at::Device device);
/// Samples of such planes (or of copies of them) as plane_tensors() has those of a picture in the host's memory.
std::vector<at::Tensor> without_empty_bits(std::vector<at::Tensor> planes, const PixelFormat& format,
                                           const DevicePlanes& as);
/// The way back.
std::vector<at::Tensor> with_empty_bits(std::vector<at::Tensor> planes, const DevicePlanes& as);

/// Whether the two classes below can do it: every format zimg_format.h takes, but of the matrices only those that are a
/// product with the gamma-coded R'G'B' (not constant luminance, YCgCo or ICtCp).
bool converts_on_device(const PixelFormat& format, const Colour& colour);

/// Planes -> [3,H,W] float32. One thread at a time.
class PlanesToRgb {
public:
    /// `colour` resolved. The tensors that convert() gets must be on `device`.
    PlanesToRgb(const PixelFormat& format, const Colour& colour, int width, int height, at::Device device);
    [[nodiscard]] at::Tensor convert(const std::vector<at::Tensor>& planes) const;

private:
    PixelFormat format_;
    Colour colour_;
    at::Tensor across_;   // [W, chroma columns]; empty = chroma is as wide as luma
    at::Tensor down_;     // [H, chroma rows]
};

/// [3,H,W] float32 -> planes of the same size, rounded (not dithered), as plane_tensors() has them, contiguous.
class RgbToPlanes {
public:
    RgbToPlanes(const PixelFormat& format, const Colour& colour, int width, int height, at::Device device);
    [[nodiscard]] std::vector<at::Tensor> convert(const at::Tensor& rgb) const;

private:
    PixelFormat format_;
    Colour colour_;
    at::Tensor across_;   // [chroma columns, W]
    at::Tensor down_;     // [chroma rows, H]
};

}   // namespace millstream
