#include "enhance/colour_fix.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cstdint>

// Note [Colour fix]
// Networks shift brightness and hue: some of the shipped ones by up to 7 code values on average over 32x32 blocks, by
// up to 14 in single blocks (docs/colour.md). The source knows better: what is coarser than a few pixels does not have
// to be invented. So the difference between source and output is taken over cells of 4x4 input pixels, smoothed with [1
// 2 1]/4 both ways, interpolated bilinearly and added. Together that is a low pass of about 3.5 input pixels (standard
// deviation). Measured per 32x32 block, mean and worst over the five clips, with the gradient energy that is left
// (animevideov3 x2, clearreality x4, span-hfa2k x2):
//
//     cells of 8          0.03-0.29   worst 1.4    gradients 0.993-1.003
//     cells of 8, twice   0.02-0.15   worst 0.7    gradients 0.991-1.004
//     cells of 4          0.01-0.13   worst 0.6    gradients 0.991-1.004
//
// The exception is a network that diverges (SPAN on saturated colours): its error is neither smooth nor small.

namespace millstream {
namespace {

// Means over squares; those at the right and lower edges may be cut short. [3,h,w] -> [1,3,ceil(h/side),ceil(w/side)]
at::Tensor means(const at::Tensor& picture, int side) {
    return at::avg_pool2d(picture.unsqueeze(0), {side, side}, {side, side}, {0, 0}, /*ceil_mode=*/true,
                          /*count_include_pad=*/false);
}

at::Tensor smoothed(const at::Tensor& cells) {
    const at::Tensor padded = at::replication_pad2d(cells, {1, 1, 1, 1});
    const std::int64_t h = cells.size(2);
    const std::int64_t w = cells.size(3);
    const at::Tensor down = padded.narrow(2, 0, h) + 2 * padded.narrow(2, 1, h) + padded.narrow(2, 2, h);
    return (down.narrow(3, 0, w) + 2 * down.narrow(3, 1, w) + down.narrow(3, 2, w)) / 16;
}

}   // namespace

void ColourFix::apply(const at::Tensor& input, at::Tensor& output) {
    const at::Tensor low = smoothed(means(input, kColourCell) - means(output, kColourCell * scale_));
    if (output.is_cpu()) {
        add(low[0].contiguous(), output);
        return;
    }
    const double side = kColourCell * scale_;
    output.add_(at::upsample_bilinear2d(low, {output.size(1), output.size(2)}, /*align_corners=*/false, side, side)[0]);
}

// Bilinear interpolation and addition in one pass over the output, without a second picture of its size. From one
// cell's centre to the next the correction is a straight line; outside the outermost centres it is constant.
void ColourFix::add(const at::Tensor& low, at::Tensor& output) {
    const std::int64_t rows = low.size(1);
    const std::int64_t columns = low.size(2);
    const std::int64_t height = output.size(1);
    const std::int64_t width = output.size(2);
    const std::int64_t side = std::int64_t{kColourCell} * scale_;
    line_.resize(static_cast<std::size_t>(columns));
    const float* cells = low.const_data_ptr<float>();
    auto* pixels = output.mutable_data_ptr<float>();
    for (std::int64_t channel = 0; channel < output.size(0); ++channel, cells += rows * columns) {
        for (std::int64_t y = 0; y < height; ++y, pixels += width) {
            interpolate_line(cells, rows, y, side);
            for (std::int64_t before = -1; before < columns; ++before) {
                const float from = line_[static_cast<std::size_t>(std::max<std::int64_t>(before, 0))];
                const float to = line_[static_cast<std::size_t>(std::min(before + 1, columns - 1))];
                const float slope = (to - from) / static_cast<float>(side);
                const std::int64_t centre = before * side + side / 2;
                const std::int64_t begin = std::max<std::int64_t>(centre, 0);
                const std::int64_t end = std::min(centre + side, width);
                for (std::int64_t x = begin; x < end; ++x) {
                    pixels[x] += from + slope * (static_cast<float>(x - centre) + 0.5F);
                }
            }
        }
    }
}

// Row `y` of the output in the cells' columns.
void ColourFix::interpolate_line(const float* cells, std::int64_t rows, std::int64_t y, std::int64_t side) {
    const std::int64_t before = (y + side / 2) / side - 1;
    const std::int64_t centre = before * side + side / 2;
    const float weight = (static_cast<float>(y - centre) + 0.5F) / static_cast<float>(side);
    const auto columns = static_cast<std::int64_t>(line_.size());
    const float* above = cells + std::max<std::int64_t>(before, 0) * columns;
    const float* below = cells + std::min(before + 1, rows - 1) * columns;
    for (std::int64_t i = 0; i < columns; ++i) {
        line_[static_cast<std::size_t>(i)] = above[i] + (below[i] - above[i]) * weight;
    }
}

}   // namespace millstream
