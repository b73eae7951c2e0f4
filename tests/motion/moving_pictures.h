// Pictures that can be drawn at any sub-pixel place, so that the motion between two of them is known exactly.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>

namespace millstream {

struct Point {
    double x;
    double y;
};

/// A sum of waves, 5 to 60 pixels long, in all directions; 0..1 with a mean of one half.
class Texture {
public:
    explicit Texture(std::uint32_t seed) {
        std::mt19937 random(seed);
        std::uniform_real_distribution<double> unit(0, 1);
        for (Wave& wave : waves_) {
            const double length = 5 * std::pow(12, unit(random));
            const double angle = 6.2832 * unit(random);
            wave = {6.2832 / length * std::cos(angle), 6.2832 / length * std::sin(angle), 6.2832 * unit(random)};
        }
    }
    [[nodiscard]] double at(Point p) const {
        double sum = 0;
        for (const Wave& wave : waves_) {
            sum += std::sin(wave.x * p.x + wave.y * p.y + wave.phase);
        }
        return std::fmin(1, std::fmax(0, 0.5 + sum * (0.9 / kWaves)));
    }

private:
    static constexpr int kWaves = 16;
    struct Wave {
        double x;
        double y;
        double phase;
    };
    std::array<Wave, kWaves> waves_{};
};

using Shade = std::function<double(Point)>;

/// [3,height,width]: the shade of every pixel, the channels slightly different.
inline at::Tensor draw(std::int64_t height, std::int64_t width, const Shade& shade) {
    at::Tensor picture = at::empty({3, height, width});
    auto* to = picture.mutable_data_ptr<float>();
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            const double value = shade({static_cast<double>(x), static_cast<double>(y)});
            for (std::int64_t c = 0; c < 3; ++c) {
                to[(c * height + y) * width + x] =
                    static_cast<float>(value * (1 - 0.05 * static_cast<double>(c)) + 0.02 * static_cast<double>(c));
            }
        }
    }
    return picture;
}

/// Normal noise of `codes` 8-bit codes added, the same for the same seed of at::manual_seed.
inline at::Tensor noisy(const at::Tensor& picture, double codes) {
    return (picture + at::randn(picture.sizes()) * (codes / 255)).clamp_(0, 1);
}

/// A flow drawn from a function: [2,height,width].
inline at::Tensor true_flow(std::int64_t height, std::int64_t width, const std::function<Point(Point)>& flow) {
    at::Tensor result = at::empty({2, height, width});
    auto* to = result.mutable_data_ptr<float>();
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            const Point p = flow({static_cast<double>(x), static_cast<double>(y)});
            to[y * width + x] = static_cast<float>(p.x);
            to[(height + y) * width + x] = static_cast<float>(p.y);
        }
    }
    return result;
}

/// Mean length of the difference of two [2,h,w] flows over the pixels more than `border` from the frame's edge.
inline double end_point_error(const at::Tensor& flow, const at::Tensor& truth, std::int64_t border) {
    const auto inner = [border](const at::Tensor& t) {
        return t.narrow(1, border, t.size(1) - 2 * border).narrow(2, border, t.size(2) - 2 * border);
    };
    return (inner(flow) - inner(truth)).square().sum(0).sqrt().mean().item<double>();
}

}   // namespace millstream
