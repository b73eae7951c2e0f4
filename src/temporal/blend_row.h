// The blend of one output row. Every function here is a loop over pixels that the compiler vectorises; none allocates.
#pragma once

#include <cstdint>

namespace millstream::blend {

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

/// One channel: clips `history` to what the 3x3 around each pixel of `row` allows, and mixes it in. `above`, `row`,
/// `below`: as they were before anything was mixed. `sums` has room for 2 * (width + 2) values. `to` may be `row`.
void mix_row(const float* above, const float* row, const float* below, const float* history, const float* weight,
             std::int64_t width, float* sums, float* to);

}   // namespace millstream::blend
