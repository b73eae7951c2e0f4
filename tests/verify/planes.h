// Small planes with something to see in them.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>

#include "verify/luma_plane.h"

namespace millstream {

inline LumaPlane make_plane(int width, int height, const std::function<double(int x, int y)>& value) {
    LumaPlane plane{width, height, {}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            plane.samples.push_back(static_cast<float>(value(x, y)));
        }
    }
    return plane;
}

/// Waves that have moved by `shift` samples.
inline LumaPlane waves(double shift) {
    return make_plane(64, 48, [shift](int x, int y) {
        return 0.5 + 0.3 * std::sin((x - shift) * 0.35) * std::cos(y * 0.21) + 0.1 * std::sin((x - shift) * 1.3);
    });
}

/// `plane` with Gaussian noise of this standard deviation.
inline LumaPlane noisy(LumaPlane plane, double deviation, std::uint32_t seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> noise(0, static_cast<float>(deviation));
    for (float& sample : plane.samples) {
        sample += noise(generator);
    }
    return plane;
}

}   // namespace millstream
