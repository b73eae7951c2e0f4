// A row of a picture, sampled where a flow points to. A loop over pixels; allocates nothing.
#pragma once

#include <cstdint>

namespace millstream {

/// Three planes of one size, one after the other.
struct PlanesRgb {
    const float* first;
    std::int64_t height;
    std::int64_t width;
};

/// to[c][x] = image[c](x + flow_x[x] * scale, y + flow_y[x] * scale), bicubic, where weight[x] > 0; elsewhere left as
/// it was. Taps outside the image take its outermost pixels.
void sample_row(const PlanesRgb& image, std::int64_t y, float scale, const float* flow_x, const float* flow_y,
                const float* weight, float* const to[3]);

}   // namespace millstream
