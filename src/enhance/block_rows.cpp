#include "enhance/block_rows.h"

#include <algorithm>
#include <cmath>

#include "base/vector_clones.h"

namespace millstream::blocks {
namespace {

struct Taps {
    float weight[4];
};

// Cubic convolution with a = -0.75 (R. Keys, 1981), `t` behind the second tap.
Taps cubic(float t) {
    constexpr float a = -0.75F;
    const auto near = [](float x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
    const auto far = [](float x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
    return {{far(t + 1), near(t), near(1 - t), far(2 - t)}};
}

}   // namespace

MILLSTREAM_VECTOR_CLONES
void difference_row(const float* a, const float* b, std::int64_t plane, std::int64_t width, float* to) {
    for (std::int64_t x = 0; x < width; ++x) {
        to[x] = (std::abs(a[x] - b[x]) + std::abs(a[x + plane] - b[x + plane]) +
                 std::abs(a[x + 2 * plane] - b[x + 2 * plane])) *
                (1.0F / 3);
    }
}

MILLSTREAM_VECTOR_CLONES
void slide_row(const float* add, const float* take, std::int64_t width, float* sums) {
    if (add != nullptr) {
        for (std::int64_t x = 0; x < width; ++x) {
            sums[x] += add[x];
        }
    }
    if (take != nullptr) {
        for (std::int64_t x = 0; x < width; ++x) {
            sums[x] -= take[x];
        }
    }
}

MILLSTREAM_VECTOR_CLONES
void peaks_row(const float* sums, std::int64_t width, float* work, float* most) {
    float* const own = work + 4;
    for (std::int64_t x = 0; x < width; ++x) {
        own[x] = sums[x];
    }
    for (std::int64_t i = 0; i < 4; ++i) {
        own[-1 - i] = sums[0];
        own[width + i] = sums[width - 1];
    }
    for (std::int64_t x = 0; x < width; ++x) {   // in place: only values to the right are still needed
        work[x] = ((work[x] + work[x + 1]) + (work[x + 2] + work[x + 3])) +
                  ((work[x + 4] + work[x + 5]) + (work[x + 6] + work[x + 7]));
    }
    for (std::int64_t x = 0; x < width; x += 16) {
        float largest = most[x / 16];
        const std::int64_t end = std::min<std::int64_t>(x + 16, width);
        for (std::int64_t i = x; i < end; ++i) {
            largest = std::max(largest, work[i]);
        }
        most[x / 16] = largest;
    }
}

MILLSTREAM_VECTOR_CLONES
void steps_row(const float* row, const float* below, std::int64_t plane, std::int64_t width, float* sums) {
    for (std::int64_t x = 0; x < width; x += 16) {
        const std::int64_t end = std::min<std::int64_t>(x + 16, width - 1);
        float sum = 0;
        for (std::int64_t i = x; i < end; ++i) {
            const float own = row[i] + row[i + plane] + row[i + 2 * plane];
            const float right = row[i + 1] + row[i + 1 + plane] + row[i + 1 + 2 * plane];
            const float under = below[i] + below[i + plane] + below[i + 2 * plane];
            sum += std::abs(right - own) + std::abs(under - own);
        }
        sums[x / 16] += sum * (1.0F / 3);
    }
}

MILLSTREAM_VECTOR_CLONES
void add_enlarged_row(const float* const from[4], float down, std::int64_t width, std::int64_t scale, float* work,
                      float* to) {
    const Taps rows = cubic(down);
    float* const between = work + 2;
    for (std::int64_t x = 0; x < width; ++x) {
        between[x] = rows.weight[0] * from[0][x] + rows.weight[1] * from[1][x] + rows.weight[2] * from[2][x] +
                     rows.weight[3] * from[3][x];
    }
    between[-2] = between[-1] = between[0];
    between[width] = between[width + 1] = between[width - 1];
    for (std::int64_t phase = 0; phase < scale; ++phase) {
        // Output pixel x * scale + phase lies `right` behind between[x + first].
        const float place = (static_cast<float>(phase) + 0.5F) / static_cast<float>(scale) - 0.5F;
        const std::int64_t first = place < 0 ? -1 : 0;
        const Taps taps = cubic(place - static_cast<float>(first));
        const float* const tap = between + first - 1;
        for (std::int64_t x = 0; x < width; ++x) {
            to[x * scale + phase] += taps.weight[0] * tap[x] + taps.weight[1] * tap[x + 1] +
                                     taps.weight[2] * tap[x + 2] + taps.weight[3] * tap[x + 3];
        }
    }
}

MILLSTREAM_VECTOR_CLONES
void shown_row(const float* const rows[9], const float* share, float grain, std::int64_t width, float* work,
               float* to) {
    float* const sums = work + 4;
    for (std::int64_t x = 0; x < width; ++x) {
        sums[x] = ((rows[0][x] + rows[1][x]) + (rows[2][x] + rows[3][x])) +
                  ((rows[4][x] + rows[5][x]) + (rows[6][x] + rows[7][x])) + rows[8][x];
    }
    for (std::int64_t i = 0; i < 4; ++i) {
        sums[-1 - i] = sums[0];
        sums[width + i] = sums[width - 1];
    }
    for (std::int64_t x = 0; x < width; ++x) {
        const float mean = (((work[x] + work[x + 1]) + (work[x + 2] + work[x + 3])) +
                            ((work[x + 4] + work[x + 5]) + (work[x + 6] + work[x + 7])) + work[x + 8]) *
                           (1.0F / 81);
        const float rest = rows[4][x] - mean;
        const float beyond = std::min(std::max(std::abs(rest) * (1 / grain) - 1, 0.0F), 1.0F);
        to[x] = mean + (share[x] + (1 - share[x]) * beyond) * rest;
    }
}

}   // namespace millstream::blocks
