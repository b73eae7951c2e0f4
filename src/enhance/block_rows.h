// Rows of pixels that the decision about blocks is made from: loops the compiler vectorises; none allocates.
#pragma once

#include <cstdint>

namespace millstream::blocks {

/// to[x] = mean over R, G, B of |a - b|. `plane`: floats from one channel's row to the next one's.
void difference_row(const float* a, const float* b, std::int64_t plane, std::int64_t width, float* to);

/// sums[x] += add[x] - take[x]; either may be null.
void slide_row(const float* add, const float* take, std::int64_t width, float* sums);

/// Sums of eight from x - 4 on, the outermost values standing for those outside: most[x / 16] = the largest of its
/// sixteen, or what is there if that is larger. `work` has room for width + 8.
void peaks_row(const float* sums, std::int64_t width, float* work, float* most);

/// sums[x / 16] += |next - own| + |below - own| over the row, of the mean of the three channels.
void steps_row(const float* row, const float* below, std::int64_t plane, std::int64_t width, float* sums);

/// Output row of `scale` times the width: bicubic (a = -0.75), half-pixel centres. `from`: four rows around the place
/// `down` behind the second; `work` has room for width + 4. Adds to `to`.
void add_enlarged_row(const float* const from[4], float down, std::int64_t width, std::int64_t scale, float* work,
                      float* to);

/// to[x] = mean of the 9x9 around, plus a share of what the row has beyond it: share[x] up to `grain`, all of it from
/// twice that on. `rows`: the nine, the fifth being the row itself; the outermost values stand for those outside.
/// `work` has room for width + 8.
void shown_row(const float* const rows[9], const float* share, float grain, std::int64_t width, float* work, float* to);

}   // namespace millstream::blocks
