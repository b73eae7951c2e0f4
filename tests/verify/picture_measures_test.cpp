#include "verify/picture_measures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "verify/planes.h"

namespace millstream {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

TEST(AreaTaps, cover_every_sample_once_whatever_the_ratio) {
    for (const auto& [from, to] : {std::pair(8, 4), std::pair(7, 3), std::pair(161, 120), std::pair(5, 5)}) {
        std::vector<double> covered(static_cast<std::size_t>(from), 0);
        for (const AreaTap& tap : area_taps(from, to)) {
            EXPECT_NEAR(std::accumulate(tap.weights.begin(), tap.weights.end(), 0.0), 1, 1e-5);
            for (std::size_t i = 0; i < tap.weights.size(); ++i) {
                covered.at(static_cast<std::size_t>(tap.first) + i) += tap.weights[i];
            }
        }
        for (const double share : covered) {
            EXPECT_NEAR(share, static_cast<double>(to) / from, 1e-5);
        }
    }
}

TEST(LumaReader, averages_areas_of_limited_range_to_0_1) {
    const PixelFormat format{.family = ColourFamily::gray, .depth = 8, .chroma_shift_x = 0, .chroma_shift_y = 0};
    PicturePool pool(format, 4, 2);
    Picture picture = pool.take();
    const std::uint8_t rows[2][4] = {{16, 16, 235, 235}, {16, 16, 235, 16}};
    for (int y = 0; y < 2; ++y) {
        std::copy(rows[y], rows[y] + 4,
                  reinterpret_cast<std::uint8_t*>(picture.planes[0].data) + y * picture.planes[0].stride);
    }
    LumaPlane plane;
    LumaReader(format, {}, {4, 2}, {2, 1}).read(picture, plane);
    EXPECT_THAT(plane.samples, ElementsAre(FloatEq(0), FloatEq(0.75)));
    EXPECT_THAT(plane_means(picture), ElementsAre(testing::DoubleEq((5 * 16 + 3 * 235) / 8.0)));
}

TEST(LumaReader, ten_bit_means_count_in_steps_of_eight) {
    const PixelFormat format{.family = ColourFamily::gray, .depth = 10, .chroma_shift_x = 0, .chroma_shift_y = 0};
    PicturePool pool(format, 2, 1);
    Picture picture = pool.take();
    auto* samples = reinterpret_cast<std::uint16_t*>(picture.planes[0].data);
    samples[0] = 64;
    samples[1] = 940;
    LumaPlane plane;
    LumaReader(format, {}, {2, 1}, {2, 1}).read(picture, plane);
    EXPECT_THAT(plane.samples, ElementsAre(FloatEq(0), FloatEq(1)));
    EXPECT_THAT(plane_means(picture), ElementsAre(testing::DoubleEq(502 / 4.0)));
}

TEST(Psnr, follows_its_definition) {
    const LumaPlane black = make_plane(8, 8, [](int, int) { return 0.0; });
    const LumaPlane gray = make_plane(8, 8, [](int, int) { return 0.1; });
    EXPECT_NEAR(psnr_db(mean_squared_error(black, gray)), 20, 1e-4);
    EXPECT_EQ(psnr_db(mean_squared_error(gray, gray)), 100);
}

TEST(StructuralSimilarity, is_1_for_the_same_and_falls_with_noise) {
    const LumaPlane plane = waves(0);
    EXPECT_NEAR(structural_similarity(plane, plane), 1, 1e-4);
    const double a_little = structural_similarity(plane, noisy(plane, 0.02, 1));
    const double a_lot = structural_similarity(plane, noisy(plane, 0.2, 1));
    EXPECT_LT(a_little, 0.999);
    EXPECT_GT(a_little, 0.9);
    EXPECT_LT(a_lot, 0.6);
}

TEST(DetailEnergy, is_nothing_in_a_flat_picture_and_the_variance_of_noise) {
    const LumaPlane flat = make_plane(64, 64, [](int, int) { return 0.5; });
    EXPECT_NEAR(detail_energy(flat), 0, 1e-9);
    // The box leaves 1/25 of the noise's variance, the difference has 24/25.
    EXPECT_NEAR(detail_energy(noisy(flat, 0.1, 2)), 0.01 * 24 / 25, 0.001);
}

TEST(NeighbourFit, tells_the_frame_from_its_neighbour) {
    EXPECT_NEAR(neighbour_fit(noisy(waves(0), 0.02, 3), waves(0), waves(1)).share, 0, 0.05);
    EXPECT_NEAR(neighbour_fit(noisy(waves(1), 0.02, 3), waves(0), waves(1)).share, 1, 0.05);
}

TEST(NeighbourFit, does_not_take_removed_noise_for_a_neighbour) {
    const LumaPlane clean = waves(0);
    const double share = neighbour_fit(clean, noisy(clean, 0.05, 4), noisy(clean, 0.05, 5)).share;
    EXPECT_NEAR(share, 0.5, 0.05);   // as near to both
}

TEST(NeighbourFit, finds_nothing_that_moves_in_a_still_scene) {
    EXPECT_EQ(neighbour_fit(waves(0), waves(0), noisy(waves(0), 0.002, 6)).moving, 0);
}

TEST(Cut, is_another_picture_and_not_movement) {
    EXPECT_FALSE(is_cut(waves(0), waves(5)));
    EXPECT_TRUE(is_cut(waves(0), make_plane(64, 48, [](int, int y) { return y < 24 ? 0.0 : 0.1; })));
}

}   // namespace
}   // namespace millstream
