#include "motion/scene_cut.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "motion/filters.h"
#include "motion/moving_pictures.h"

namespace millstream {
namespace {

at::Tensor scene(std::uint32_t seed, double shift, double gain) {
    const Texture texture(seed);
    return luma(draw(90, 160, [&](Point p) { return gain * texture.at({p.x + shift, p.y}); }).unsqueeze(0));
}

TEST(SceneCut, another_scene_of_another_brightness_is_a_cut) {
    EXPECT_TRUE(is_scene_cut(scene(1, 0, 1), scene(2, 0, 0.4)));
    EXPECT_TRUE(is_scene_cut(scene(1, 0, 0.3), scene(2, 0, 1)));
}

TEST(SceneCut, fast_motion_is_none) {
    EXPECT_FALSE(is_scene_cut(scene(1, 0, 1), scene(1, 40, 1)));
}

TEST(SceneCut, a_fade_is_none) {
    for (double gain = 1; gain > 0.1; gain -= 0.05) {
        EXPECT_FALSE(is_scene_cut(scene(1, 0, gain - 0.05), scene(1, 0, gain))) << gain;
    }
}

TEST(SceneCut, the_same_frame_and_noise_are_none) {
    at::manual_seed(1);
    const at::Tensor still = scene(1, 0, 1);
    EXPECT_FALSE(is_scene_cut(still, still));
    EXPECT_FALSE(is_scene_cut(noisy(still, 15), noisy(still, 15)));
}

TEST(SceneCut, black_frames_and_tiny_frames_are_judged_too) {
    EXPECT_FALSE(is_scene_cut(at::zeros({1, 1, 32, 32}), at::zeros({1, 1, 32, 32})));
    EXPECT_TRUE(is_scene_cut(at::ones({1, 1, 4, 4}), at::zeros({1, 1, 4, 4})));
}

}   // namespace
}   // namespace millstream
