#include "enhance/colour_fix.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace millstream {
namespace {

constexpr double kCode = 1.0 / 255;

at::Tensor floats(const std::vector<float>& values) {
    at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())});
    std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
    return tensor;
}

// Smooth colours with texture on them: what a photograph is to this filter.
at::Tensor scene(std::int64_t height, std::int64_t width) {
    at::Tensor picture = at::empty({3, height, width});
    float* out = picture.mutable_data_ptr<float>();
    for (int c = 0; c < 3; ++c) {
        for (std::int64_t y = 0; y < height; ++y) {
            for (std::int64_t x = 0; x < width; ++x) {
                const double fx = static_cast<double>(x);
                const double fy = static_cast<double>(y);
                *out++ = static_cast<float>(0.5 + 0.2 * std::sin(fx / 23 + c) * std::cos(fy / 31) +
                                            0.05 * std::sin(fx * 1.9 + fy * 2.3));
            }
        }
    }
    return picture;
}

at::Tensor enlarged(const at::Tensor& picture, int scale) {
    return picture.repeat_interleave(scale, 1).repeat_interleave(scale, 2).contiguous();
}

at::Tensor block_means(const at::Tensor& picture, int side) {
    return at::avg_pool2d(picture.unsqueeze(0), {side, side});
}

double worst(const at::Tensor& difference) {
    return difference.abs().max().item<double>();
}

class AtScale : public testing::TestWithParam<int> {};

TEST_P(AtScale, AShiftOfBrightnessAndHueIsTakenBack) {
    const int scale = GetParam();
    const at::Tensor input = scene(97, 131);   // no multiple of a cell
    at::Tensor output = enlarged(input, scale);
    output += floats({0.02F, -0.03F, 0.01F}).view({3, 1, 1});
    ColourFix(scale).apply(input, output);
    EXPECT_LT(worst(output - enlarged(input, scale)), 0.01 * kCode);
}

TEST_P(AtScale, AnUnevenShiftIsTakenBackWithinHalfACodeInEveryBlock) {
    const int scale = GetParam();
    const at::Tensor input = scene(128, 160);
    // As networks do: darker where it is bright. Changes as fast as the picture does.
    at::Tensor output = enlarged(input - 0.08 * (input - 0.3) * input, scale);
    ASSERT_GT(worst(block_means(output, 32 * scale) - block_means(input, 32)), 4 * kCode);
    ColourFix(scale).apply(input, output);
    EXPECT_LT(worst(block_means(output, 32 * scale) - block_means(input, 32)), 0.5 * kCode);
}

TEST_P(AtScale, DetailThatTheNetworkAddedStays) {
    const int scale = GetParam();
    const at::Tensor input = scene(64, 64);
    const at::Tensor detail = 0.1 * (at::arange(64 * scale).remainder(2) - 0.5).view({1, 1, -1});
    at::Tensor output = enlarged(input, scale) + detail;
    ColourFix(scale).apply(input, output);
    EXPECT_LT(worst(output - enlarged(input, scale) - detail), 0.01 * kCode);
}

TEST_P(AtScale, InterpolatesAsAtenDoes) {
    const int scale = GetParam();
    const at::Tensor input = scene(45, 70);
    at::Tensor output = at::zeros({3, 45 * scale, 70 * scale});
    ColourFix(scale).apply(input, output);
    at::Tensor cells =
        at::avg_pool2d(input.unsqueeze(0), {kColourCell, kColourCell}, {kColourCell, kColourCell}, {0, 0}, true, false);
    const at::Tensor padded = at::replication_pad2d(cells, {1, 1, 1, 1});
    cells =
        at::conv2d(padded.transpose(0, 1), floats({1, 2, 1, 2, 4, 2, 1, 2, 1}).view({1, 1, 3, 3}) / 16).transpose(0, 1);
    const double side = kColourCell * scale;
    const at::Tensor expected = at::upsample_bilinear2d(cells, {45 * scale, 70 * scale}, false, side, side)[0];
    EXPECT_LT(worst(output - expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Scales, AtScale, testing::Values(1, 2, 3, 4));

TEST(ColourFixTest, AnOutputThatIsItsInputStaysBitForBit) {
    const at::Tensor input = scene(33, 50);
    at::Tensor output = input.clone();
    ColourFix(1).apply(input, output);
    EXPECT_TRUE(at::equal(output, input));
}

TEST(ColourFixTest, APictureSmallerThanACellIsCorrectedToo) {
    const at::Tensor input = at::full({3, 2, 3}, 0.5F);
    at::Tensor output = at::full({3, 4, 6}, 0.4F);
    ColourFix(2).apply(input, output);
    EXPECT_LT(worst(output - 0.5), 1e-6);
}

}   // namespace
}   // namespace millstream
