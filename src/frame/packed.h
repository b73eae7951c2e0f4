// Planar float tensors <-> three bytes a pixel, as OpenCV and numpy have pictures.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>

namespace millstream {

/// Rows of three bytes a pixel, in the order R G B, or B G R where `bgr`.
struct PackedRows {
    std::uint8_t* data = nullptr;
    std::ptrdiff_t row = 0;   ///< bytes from a row to the next
    bool bgr = true;
};

/// `tensor` [3,h,w] float32, R G B, rows contiguous; values are clamped to 0..1 and rounded to the nearest of 255
/// steps. Writes every byte of `target` once.
void pack(const at::Tensor& tensor, const PackedRows& target);

/// The other way: every value is a byte divided by 255.
void unpack(const PackedRows& source, at::Tensor& tensor);

}   // namespace millstream
