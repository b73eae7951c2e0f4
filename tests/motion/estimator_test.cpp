#include "motion/estimator.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "millstream/error.h"
#include "motion/moving_pictures.h"

namespace millstream {
namespace {

constexpr std::int64_t kHeight = 72;
constexpr std::int64_t kWidth = 96;

at::Tensor shifted(double x, double y) {
    const Texture texture(5);
    return draw(kHeight, kWidth, [&](Point p) { return texture.at({p.x + x, p.y + y}); });
}

TEST(MotionEstimator, the_first_frame_has_no_predecessor) {
    MotionEstimator estimator(FlowQuality::full);
    const Motion motion = estimator.next(shifted(0, 0));
    EXPECT_TRUE(motion.cut);
    EXPECT_FALSE(motion.flow.defined());
    EXPECT_EQ(motion.bytes(), 0U);
}

TEST(MotionEstimator, an_unchanged_frame_is_still_everywhere) {
    MotionEstimator estimator(FlowQuality::full);
    estimator.next(shifted(0, 0));
    const Motion motion = estimator.next(shifted(0, 0));
    ASSERT_FALSE(motion.cut);
    EXPECT_TRUE(motion.still.all().item<bool>());
    EXPECT_EQ(motion.flow.abs().max().item<float>(), 0);
    EXPECT_LT(motion.residual.max().item<float>(), 1e-5F);
    EXPECT_TRUE(motion.valid.all().item<bool>());
}

TEST(MotionEstimator, one_changed_pixel_is_not_still_for_two_pixels_around) {
    MotionEstimator estimator(FlowQuality::full);
    estimator.next(shifted(0, 0));
    at::Tensor next = shifted(0, 0);
    next[1][30][40] += 1e-3F;
    const Motion motion = estimator.next(next);
    EXPECT_EQ(motion.still.logical_not().sum().item<std::int64_t>(), 25);
    EXPECT_FALSE(motion.still[28][38].item<bool>());
    EXPECT_TRUE(motion.still[27][38].item<bool>());
}

TEST(MotionEstimator, brings_the_predecessor_to_its_new_place) {
    MotionEstimator estimator(FlowQuality::full);
    const at::Tensor before = shifted(0, 0);
    const at::Tensor now = shifted(2.3, -1.2);
    estimator.next(before);
    const Motion motion = estimator.next(now);
    ASSERT_FALSE(motion.cut);
    EXPECT_LT(end_point_error(motion.flow, true_flow(kHeight, kWidth, [](Point) { return Point{2.3, -1.2}; }), 8), 0.1);
    const auto inner = [](const at::Tensor& t) { return t.narrow(-2, 8, kHeight - 16).narrow(-1, 8, kWidth - 16); };
    EXPECT_LT(inner(motion.residual).mean().item<float>(),
              0.25F * (inner(now) - inner(before)).abs().mean().item<float>());
    EXPECT_TRUE(at::allclose(motion.residual, (now - motion.warped).abs().mean(0), 1e-5, 1e-6));
    EXPECT_FALSE(motion.valid[40][kWidth - 1].item<bool>()) << "came from outside the frame";
    EXPECT_TRUE(motion.valid[40][40].item<bool>());
    EXPECT_FALSE(motion.still.any().item<bool>());
}

TEST(MotionEstimator, moves_below_the_dead_zone_are_none) {
    MotionEstimator estimator(FlowQuality::full);
    estimator.next(shifted(0, 0));
    const Motion motion = estimator.next(shifted(0.04, 0));
    EXPECT_EQ(motion.flow.narrow(1, 8, 56).narrow(2, 8, 80).abs().max().item<float>(), 0);
}

TEST(MotionEstimator, knows_the_scale_of_the_noise) {
    at::manual_seed(2);
    MotionEstimator estimator(FlowQuality::full);
    estimator.next(noisy(shifted(0, 0), 3));
    const Motion motion = estimator.next(noisy(shifted(0, 0), 3));
    const float codes = motion.noise.item<float>() * 255;   // mean |difference| of two normals of 3 codes: 3.4
    EXPECT_GT(codes, 2);
    EXPECT_LT(codes, 4);
    estimator.next(at::rand({3, kHeight, kWidth}) * 0.3 + 0.3);
    const Motion wild = estimator.next(at::rand({3, kHeight, kWidth}) * 0.3 + 0.3);
    ASSERT_FALSE(wild.cut);
    EXPECT_LE(wild.noise.item<float>(), 8.0F / 255 + 1e-6F);
}

TEST(MotionEstimator, takes_the_noise_of_a_mostly_repeated_frame_from_the_rest) {
    at::manual_seed(2);
    MotionEstimator estimator(FlowQuality::full);
    at::Tensor now = shifted(0, 0);
    estimator.next(now);
    now = now.clone();
    now.narrow(2, 0, kWidth / 4).copy_(noisy(now.narrow(2, 0, kWidth / 4), 2));
    const float codes = estimator.next(now).noise.item<float>() * 255;   // mean |normal of 2 codes|: 1.6
    EXPECT_GT(codes, 1);
    EXPECT_LT(codes, 2);
    EXPECT_EQ(estimator.next(now).noise.item<float>(), 0) << "nothing changed";
}

TEST(MotionEstimator, another_size_and_a_reset_are_cuts) {
    MotionEstimator estimator(FlowQuality::fast);
    estimator.next(shifted(0, 0));
    EXPECT_FALSE(estimator.next(shifted(0.5, 0)).cut);
    EXPECT_TRUE(estimator.next(at::full({3, 40, 40}, 0.5)).cut);
    EXPECT_TRUE(estimator.next(shifted(1, 0)).cut);
    EXPECT_FALSE(estimator.next(shifted(1.5, 0)).cut);
    estimator.reset();
    EXPECT_TRUE(estimator.next(shifted(2, 0)).cut);
}

TEST(MotionEstimator, leaves_its_input_alone) {
    MotionEstimator estimator(FlowQuality::full);
    const at::Tensor first = shifted(0, 0);
    const at::Tensor second = shifted(1, 1);
    const at::Tensor copy = first.clone();
    estimator.next(first);
    estimator.next(second);
    estimator.next(shifted(2, 2));
    EXPECT_TRUE(at::equal(first, copy));
    EXPECT_TRUE(at::equal(second, shifted(1, 1)));
}

TEST(MotionEstimator, other_tensors_are_refused) {
    MotionEstimator estimator(FlowQuality::full);
    EXPECT_THROW(estimator.next(at::zeros({1, 3, 16, 16})), Error);
    EXPECT_THROW(estimator.next(at::zeros({4, 16, 16})), Error);
    EXPECT_THROW(estimator.next(at::zeros({3, 16, 16}, at::kDouble)), Error);
}

}   // namespace
}   // namespace millstream
