// How large an output may be.
#pragma once

#include <algorithm>
#include <cmath>

#include "millstream/options.h"

namespace millstream {

/// Subsampled chroma needs even sides.
inline Size even(Size size) {
    return {size.width + size.width % 2, size.height + size.height % 2};
}

/// As large as `limit` allows, with the shape of width x height; sides are even.
inline Size fitted(double width, double height, Size limit) {
    const double factor = std::min(limit.width / width, limit.height / height);
    const auto side = [factor](double length, int most) {
        const int nearest = 2 * static_cast<int>(std::lround(length * factor / 2));
        return std::clamp(nearest, 2, most - most % 2);
    };
    return {side(width, limit.width), side(height, limit.height)};
}

}   // namespace millstream
