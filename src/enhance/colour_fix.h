// Gives an enhanced frame the brightness and hue of its source back, and leaves its detail alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace millstream {

/// Side in input pixels of the squares whose mean colours are compared. Note [Colour fix].
inline constexpr int kColourCell = 4;

/// One thread at a time; owns a few lines of scratch memory.
class ColourFix {
public:
    /// `scale`: of the network, 1 or more.
    explicit ColourFix(int scale) : scale_(scale) {}

    /// `input` [3,h,w], `output` [3,scale*h,scale*w], float32, contiguous, on one device; `output` is corrected in
    /// place. An output that is its input stays bit for bit what it is. Not clamped.
    void apply(const at::Tensor& input, at::Tensor& output);

private:
    void add(const at::Tensor& low, at::Tensor& output);
    void interpolate_line(const float* cells, std::int64_t rows, std::int64_t y, std::int64_t side);

    int scale_;
    std::vector<float> line_;   // one line of the correction, a value a cell
};

}   // namespace millstream
