#include "motion/sample_row.h"

#include <algorithm>
#include <cstring>

#include "base/vector_clones.h"

namespace millstream {
namespace {

using Four = float __attribute__((vector_size(16)));

MILLSTREAM_VECTOR_PART Four load(const float* from) {
    Four values;
    std::memcpy(&values, from, sizeof values);
    return values;
}

MILLSTREAM_VECTOR_PART float sum(Four v) {
    return (v[0] + v[1]) + (v[2] + v[3]);
}

// Weights of the four taps around a place `t` behind the second one; cubic convolution with a = -0.75 (R. Keys, Cubic
// Convolution Interpolation for Digital Image Processing, 1981).
MILLSTREAM_VECTOR_PART Four cubic(float t) {
    constexpr float a = -0.75F;
    const Four x{t + 1, t, 1 - t, 2 - t};   // distances
    const Four near = ((a + 2) * x - (a + 3)) * x * x + 1;
    const Four far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    return Four{far[0], near[1], near[2], far[3]};
}

// The 4x4 pixels around a place, wholly inside the image: three channels at once.
MILLSTREAM_VECTOR_PART void sample_inside(const float* corner, std::int64_t width, std::int64_t plane, Four across,
                                          Four down, float* const to[3], std::int64_t x) {
    for (std::int64_t c = 0; c < 3; ++c) {
        const float* from = corner + c * plane;
        const Four column = load(from) * down[0] + load(from + width) * down[1] + load(from + 2 * width) * down[2] +
                            load(from + 3 * width) * down[3];
        to[c][x] = sum(column * across);
    }
}

void sample_at_border(const PlanesRgb& image, std::int64_t left, std::int64_t top, Four across, Four down,
                      float* const to[3], std::int64_t x) {
    for (std::int64_t c = 0; c < 3; ++c) {
        float value = 0;
        for (int i = 0; i < 4; ++i) {
            const std::int64_t row = std::clamp<std::int64_t>(top + i, 0, image.height - 1);
            const float* from = image.first + (c * image.height + row) * image.width;
            for (int j = 0; j < 4; ++j) {
                value += down[i] * across[j] * from[std::clamp<std::int64_t>(left + j, 0, image.width - 1)];
            }
        }
        to[c][x] = value;
    }
}

// A whole number that is no larger, for values a picture's coordinates can have.
MILLSTREAM_VECTOR_PART std::int64_t whole(float value) {
    const auto truncated = static_cast<std::int64_t>(value);
    return truncated - static_cast<std::int64_t>(static_cast<float>(truncated) > value);
}

// Far outside the picture every place looks the same: keeps coordinates in the range of integers.
MILLSTREAM_VECTOR_PART float bounded(float coordinate, std::int64_t length) {
    return std::min(std::max(coordinate, -4.0F), static_cast<float>(length) + 4.0F);
}

}   // namespace

MILLSTREAM_VECTOR_CLONES
void sample_row(const PlanesRgb& image, std::int64_t y, float scale, const float* flow_x, const float* flow_y,
                const float* weight, float* const to[3]) {
    const std::int64_t plane = image.height * image.width;
    for (std::int64_t x = 0; x < image.width; ++x) {
        if (weight[x] <= 0) {
            continue;
        }
        const float place_x = bounded(static_cast<float>(x) + flow_x[x] * scale, image.width);
        const float place_y = bounded(static_cast<float>(y) + flow_y[x] * scale, image.height);
        const std::int64_t left = whole(place_x) - 1;
        const std::int64_t top = whole(place_y) - 1;
        const Four across = cubic(place_x - static_cast<float>(left + 1));
        const Four down = cubic(place_y - static_cast<float>(top + 1));
        if (left >= 0 && top >= 0 && left + 4 <= image.width && top + 4 <= image.height) {
            sample_inside(image.first + top * image.width + left, image.width, plane, across, down, to, x);
        } else {
            sample_at_border(image, left, top, across, down, to, x);
        }
    }
}

}   // namespace millstream
