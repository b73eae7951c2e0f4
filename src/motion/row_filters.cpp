#include "motion/row_filters.h"

#include <algorithm>

#include "base/vector_clones.h"

namespace millstream {
namespace {

// Puts the smaller value first.
MILLSTREAM_VECTOR_PART void sort(float& a, float& b) {
    const float smaller = std::min(a, b);
    b = std::max(a, b);
    a = smaller;
}

}   // namespace

MILLSTREAM_VECTOR_CLONES
void enlarge_row(const float* upper, const float* lower, float down, std::int64_t width, std::int64_t scale,
                 float* between, float* to) {
    for (std::int64_t x = 0; x < width; ++x) {
        between[x + 1] = upper[x] + down * (lower[x] - upper[x]);
    }
    between[0] = between[1];
    between[width + 1] = between[width];
    for (std::int64_t phase = 0; phase < scale; ++phase) {
        // Output pixel x * scale + phase lies `right` behind between[x + first].
        const float place = (static_cast<float>(phase) + 0.5F) / static_cast<float>(scale) + 0.5F;
        const std::int64_t first = place < 1 ? 0 : 1;
        const float right = place - static_cast<float>(first);
        for (std::int64_t x = 0; x < width; ++x) {
            const float left = between[x + first];
            to[x * scale + phase] = left + right * (between[x + first + 1] - left);
        }
    }
}

BetweenRows between_rows(std::int64_t y, std::int64_t scale, std::int64_t rows) {
    const float place = std::max((static_cast<float>(y) + 0.5F) / static_cast<float>(scale) - 0.5F, 0.0F);
    const auto upper = std::min(static_cast<std::int64_t>(place), rows - 1);
    return {upper, std::min(upper + 1, rows - 1), place - static_cast<float>(upper)};
}

MILLSTREAM_VECTOR_CLONES
void median_row(const float* above, const float* row, const float* below, std::int64_t width, float* to) {
    for (std::int64_t x = 0; x < width; ++x) {
        float a = above[x - 1], b = above[x], c = above[x + 1];
        float d = row[x - 1], e = row[x], f = row[x + 1];
        float g = below[x - 1], h = below[x], i = below[x + 1];
        // Columns sorted, the median of nine is that of: the largest of the smallest, the median of the medians, the
        // smallest of the largest.
        sort(a, d), sort(d, g), sort(a, d);
        sort(b, e), sort(e, h), sort(b, e);
        sort(c, f), sort(f, i), sort(c, f);
        float low = std::max(std::max(a, b), c);
        sort(d, e), sort(e, f), sort(d, e);
        float high = std::min(std::min(g, h), i);
        sort(low, e), sort(e, high), sort(low, e);
        to[x] = e;
    }
}

MILLSTREAM_VECTOR_CLONES
void halve_row(const float* upper, const float* lower, std::int64_t width, float* to) {
    for (std::int64_t x = 0; x < width; ++x) {
        to[x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]) * 0.25F;
    }
}

}   // namespace millstream
