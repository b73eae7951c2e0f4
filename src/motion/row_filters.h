// Filters on rows of pixels that the CPU's motion and lock are made of: loops the compiler vectorises; none allocates.
#pragma once

#include <cstdint>

namespace millstream {

/// Two rows of [0,width) to one of [0,width*scale): bilinear, half-pixel centres; `down` is the weight of `lower`.
/// `between` has room for width + 2 values.
void enlarge_row(const float* upper, const float* lower, float down, std::int64_t width, std::int64_t scale,
                 float* between, float* to);

/// Where an output row lies between two of `rows` input rows, and how near to the lower one.
struct BetweenRows {
    std::int64_t upper;
    std::int64_t lower;
    float down;
};
BetweenRows between_rows(std::int64_t y, std::int64_t scale, std::int64_t rows);

/// Median of 3x3. Rows are readable one value beyond either end.
void median_row(const float* above, const float* row, const float* below, std::int64_t width, float* to);

/// Means of 2x2: `width` values of `to` from twice as many of each row.
void halve_row(const float* upper, const float* lower, std::int64_t width, float* to);

}   // namespace millstream
