// An identity network must give back the picture it was given.
#include "frame/convert.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "frame/pictures.h"

namespace millstream {
namespace {

constexpr PixelFormat k444{.chroma_shift_x = 0, .chroma_shift_y = 0};
constexpr PixelFormat k422{.chroma_shift_x = 1, .chroma_shift_y = 0};
constexpr PixelFormat k420{};

PixelFormat with_depth(PixelFormat format, int depth) {
    format.depth = depth;
    return format;
}

constexpr std::array kLocations{ChromaLocation::left, ChromaLocation::center,      ChromaLocation::top_left,
                                ChromaLocation::top,  ChromaLocation::bottom_left, ChromaLocation::bottom};

using Case = std::tuple<int, bool, int, PixelFormat>;   // matrix, full range, depth, format
class RoundTrip : public testing::TestWithParam<Case> {
protected:
    const int matrix_ = std::get<0>(GetParam());
    const bool full_range_ = std::get<1>(GetParam());
    const PixelFormat format_ = with_depth(std::get<3>(GetParam()), std::get<2>(GetParam()));
    Colour colour(ChromaLocation location) const {
        return {.matrix = matrix_, .full_range = full_range_, .chroma_location = location};
    }
};

TEST_P(RoundTrip, keeps_smooth_chroma_and_any_luma_within_one_code) {
    const Picture picture = blank(format_, 192, 112);
    fill_noise(picture, 0, 7);
    fill_smooth(picture, 1);
    fill_smooth(picture, 2);
    for (const ChromaLocation location : kLocations) {
        const Picture back = there_and_back(picture, colour(location));
        for (int plane = 0; plane < 3; ++plane) {
            EXPECT_LE(difference(picture, back, plane).largest, 1)
                << "plane " << plane << " location " << static_cast<int>(location);
        }
    }
}

TEST_P(RoundTrip, keeps_luma_exactly_even_out_of_gamut) {
    const Picture picture = blank(format_, 160, 96);
    for (int plane = 0; plane < 3; ++plane) {
        fill_noise(picture, plane, 1 + static_cast<std::uint32_t>(plane));
    }
    const Picture back = there_and_back(picture, colour(ChromaLocation::left));
    EXPECT_EQ(difference(picture, back, 0).largest, 0);
    if (format_.chroma_shift_x == 0) {
        EXPECT_EQ(difference(picture, back, 1).largest, 0);
        EXPECT_EQ(difference(picture, back, 2).largest, 0);
    }
}

std::string case_name(const testing::TestParamInfo<Case>& test) {
    const auto& [matrix, full_range, depth, format] = test.param;
    return "matrix_" + std::to_string(matrix) + (full_range ? "_full_" : "_limited_") +
           describe_format(with_depth(format, depth));
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip,
                         testing::Combine(testing::Values(1, 4, 6, 7, 8, 9), testing::Bool(), testing::Values(8, 10),
                                          testing::Values(k444, k422, k420)),
                         case_name);

// The figures of Note [Chroma there and back], from outside.
TEST(RoundTripOfNoise, stays_within_one_code_where_both_chroma_axes_are_sited_alike) {
    for (const ChromaLocation location :
         {ChromaLocation::center, ChromaLocation::top_left, ChromaLocation::bottom_left}) {
        const Picture picture = blank(k420, 320, 192);
        fill_noise(picture, 0, 1);
        fill_noise(picture, 1, 2);
        fill_noise(picture, 2, 3);
        const Picture back = there_and_back(picture, {.matrix = 1, .chroma_location = location});
        for (int plane = 1; plane < 3; ++plane) {
            // The outermost samples mix with their mirror images, at another place up than down.
            int largest = 0;
            for (int y = 4; y < 92; ++y) {
                for (int x = 4; x < 156; ++x) {
                    largest = std::max(largest, std::abs(sample(picture, plane, x, y) - sample(back, plane, x, y)));
                }
            }
            EXPECT_LE(largest, 1) << static_cast<int>(location);
        }
    }
}

TEST(RoundTripOfNoise, loses_two_percent_of_left_sited_chroma_at_most) {
    const Picture picture = blank(k420, 320, 192);
    fill_noise(picture, 0, 1);
    fill_noise(picture, 1, 2);
    fill_noise(picture, 2, 3);
    const Picture back = there_and_back(picture, {.matrix = 1, .chroma_location = ChromaLocation::left});
    constexpr double kNoiseRms = 73.9;   // of uniformly distributed codes 0..255
    double squares = 0;
    for (int y = 4; y < 92; ++y) {
        for (int x = 4; x < 156; ++x) {
            const double error = sample(picture, 1, x, y) - sample(back, 1, x, y);
            squares += error * error;
        }
    }
    EXPECT_LE(std::sqrt(squares / (88 * 152)), 0.02 * kNoiseRms);
}

TEST(RoundTripOfNoise, keeps_rgb_and_gray_exactly) {
    for (const int depth : {8, 10, 12}) {
        for (const ColourFamily family : {ColourFamily::rgb, ColourFamily::gray}) {
            const PixelFormat format{.family = family, .depth = depth};
            const Picture picture = blank(format, 96, 64);
            for (int plane = 0; plane < format.colour_planes(); ++plane) {
                fill_noise(picture, plane, static_cast<std::uint32_t>(plane));
            }
            const Picture back =
                there_and_back(picture, {.matrix = family == ColourFamily::rgb ? 0 : 1, .full_range = depth == 8});
            for (int plane = 0; plane < format.colour_planes(); ++plane) {
                EXPECT_EQ(difference(picture, back, plane).largest, 0) << describe_format(format);
            }
        }
    }
}

TEST(RoundTripOfNoise, keeps_quarter_chroma_and_deep_samples) {
    const PixelFormat yuv411{.chroma_shift_x = 2, .chroma_shift_y = 0};
    Picture picture = blank(yuv411, 320, 64);
    fill_noise(picture, 0, 3);
    fill_smooth(picture, 1);
    fill_smooth(picture, 2);
    Picture back = there_and_back(picture, {.matrix = 6});
    EXPECT_LE(difference(picture, back, 0).largest, 0);
    EXPECT_LE(difference(picture, back, 1).largest, 1);

    picture = blank(with_depth(k444, 16), 64, 64);
    for (int plane = 0; plane < 3; ++plane) {
        fill_noise(picture, plane, 9);
    }
    back = there_and_back(picture, {.matrix = 9});
    for (int plane = 0; plane < 3; ++plane) {
        EXPECT_LE(difference(picture, back, plane).largest, 1);
    }
}

}   // namespace
}   // namespace millstream
