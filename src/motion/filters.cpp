#include "motion/filters.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>
#include <array>
#include <utility>

namespace millstream {
namespace {

at::Tensor padded(const at::Tensor& image, std::int64_t by) {
    return at::replication_pad2d(image, {by, by, by, by});
}

// The part of `image` that starts at (y, x) and is [height, width] large.
at::Tensor part(const at::Tensor& image, std::int64_t y, std::int64_t x, std::int64_t height, std::int64_t width) {
    return image.narrow(-2, y, height).narrow(-1, x, width);
}

at::Tensor axis(std::int64_t length, const at::Tensor& like) {
    return at::arange(length, like.options().dtype(at::kFloat));
}

}   // namespace

at::Tensor luma(const at::Tensor& rgb) {   // weights: Rec. ITU-R BT.601
    return rgb.narrow(1, 0, 1) * 0.299 + rgb.narrow(1, 1, 1) * 0.587 + rgb.narrow(1, 2, 1) * 0.114;
}

at::Tensor displaced_coordinates(const at::Tensor& flow) {
    const at::Tensor x = flow.narrow(1, 0, 1) + axis(flow.size(3), flow);
    const at::Tensor y = flow.narrow(1, 1, 1) + axis(flow.size(2), flow).unsqueeze(1);
    return at::cat({x, y}, 1);
}

at::Tensor warp(const at::Tensor& image, const at::Tensor& flow, Interpolation interpolation) {
    // The sampler's coordinates run from -1 to 1 between the centres of the outermost pixels (align_corners).
    const auto normalised = [](const at::Tensor& coordinate, std::int64_t length) {
        return coordinate * (2.0 / static_cast<double>(std::max<std::int64_t>(length - 1, 1))) - 1.0;
    };
    const at::Tensor at = displaced_coordinates(flow);
    const at::Tensor grid =
        at::stack({normalised(at.select(1, 0), image.size(3)), normalised(at.select(1, 1), image.size(2))}, -1);
    constexpr int border = 1;
    return at::grid_sampler(image, grid, interpolation == Interpolation::bilinear ? 0 : 2, border, true);
}

at::Tensor lands_inside(const at::Tensor& flow) {
    const at::Tensor at = displaced_coordinates(flow);
    const at::Tensor x = at.narrow(1, 0, 1);
    const at::Tensor y = at.narrow(1, 1, 1);
    return (x >= 0).logical_and_(x <= flow.size(3) - 1).logical_and_(y >= 0).logical_and_(y <= flow.size(2) - 1);
}

at::Tensor box_mean(const at::Tensor& image, std::int64_t side) {
    const std::int64_t height = image.size(2);
    const std::int64_t width = image.size(3);
    const at::Tensor from = padded(image, side / 2);
    at::Tensor rows = from.narrow(-1, 0, width).clone();
    for (std::int64_t i = 1; i < side; ++i) {
        rows.add_(from.narrow(-1, i, width));
    }
    at::Tensor sum = rows.narrow(-2, 0, height).clone();
    for (std::int64_t i = 1; i < side; ++i) {
        sum.add_(rows.narrow(-2, i, height));
    }
    return sum.mul_(1.0 / static_cast<double>(side * side));
}

at::Tensor slopes(const at::Tensor& image) {
    const std::int64_t height = image.size(2);
    const std::int64_t width = image.size(3);
    const at::Tensor from = padded(image, 1);
    return at::cat({part(from, 1, 2, height, width) - part(from, 1, 0, height, width),
                    part(from, 2, 1, height, width) - part(from, 0, 1, height, width)},
                   1)
        .mul_(0.5);
}

at::Tensor halve(const at::Tensor& image) {
    const at::Tensor even = at::replication_pad2d(image, {0, image.size(3) % 2, 0, image.size(2) % 2});
    return at::avg_pool2d(even, 2);
}

at::Tensor median3x3(const at::Tensor& image) {
    // The 19 exchanges that bring the median of nine values to the middle: J. L. Smith, Implementing Median Filters in
    // XC4000E FPGAs, Xcell 23 (1996).
    constexpr std::array<std::pair<int, int>, 19> exchanges{{{1, 2},
                                                             {4, 5},
                                                             {7, 8},
                                                             {0, 1},
                                                             {3, 4},
                                                             {6, 7},
                                                             {1, 2},
                                                             {4, 5},
                                                             {7, 8},
                                                             {0, 3},
                                                             {5, 8},
                                                             {4, 7},
                                                             {3, 6},
                                                             {1, 4},
                                                             {2, 5},
                                                             {4, 7},
                                                             {4, 2},
                                                             {6, 4},
                                                             {4, 2}}};
    const at::Tensor from = padded(image, 1);
    std::array<at::Tensor, 9> values;
    for (std::int64_t i = 0; i < 9; ++i) {
        values.at(static_cast<std::size_t>(i)) = part(from, i / 3, i % 3, image.size(2), image.size(3));
    }
    for (const auto& [first, second] : exchanges) {
        at::Tensor& a = values.at(static_cast<std::size_t>(first));
        at::Tensor& b = values.at(static_cast<std::size_t>(second));
        at::Tensor least = at::minimum(a, b);
        b = at::maximum(a, b);
        a = std::move(least);
    }
    return values[4];
}

at::Tensor flow_for_doubled_grid(const at::Tensor& flow, std::int64_t height, std::int64_t width) {
    // The ratio is exactly 2 even where an odd side was padded before it was halved.
    return at::upsample_bilinear2d(flow, {height, width}, false, 2.0, 2.0).mul_(2.0);
}

}   // namespace millstream
