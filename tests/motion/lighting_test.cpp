#include "motion/lighting.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "motion/estimator.h"
#include "motion/filters.h"
#include "motion/moving_pictures.h"

namespace millstream {
namespace {

constexpr std::int64_t kHeight = 96;
constexpr std::int64_t kWidth = 128;

at::Tensor picture(double x, double y) {
    const Texture texture(5);
    return draw(kHeight, kWidth, [&](Point p) { return texture.at({p.x + x, p.y + y}); });
}

at::Tensor change(const at::Tensor& now, const at::Tensor& before) {
    return change_of_light(luma(now.unsqueeze(0)), luma(before.unsqueeze(0)));
}

TEST(ChangeOfLight, finds_gain_and_offset_of_a_fade_under_noise_and_motion) {
    at::manual_seed(1);
    struct Case {
        double gain;
        double offset;
        double motion;
    };
    for (const Case& fade : {Case{1.5, 0, 0}, {0.9, 0, 0}, {0.95, 0.05, 0}, {1, 0.03, 0}, {0.9, 0, 1.5}, {0.5, 0, 3}}) {
        const at::Tensor now = noisy(picture(fade.motion, 0) * 0.6 * fade.gain + fade.offset, 2);
        const at::Tensor light = change(now, noisy(picture(0, 0) * 0.6, 2));
        EXPECT_NEAR(light[0].item<double>(), fade.gain, 0.04)
            << fade.gain << ", " << fade.offset << ", " << fade.motion;
        EXPECT_NEAR(light[1].item<double>(), fade.offset, 0.02)
            << fade.gain << ", " << fade.offset << ", " << fade.motion;
    }
}

TEST(ChangeOfLight, something_that_moves_or_enters_is_none) {
    at::manual_seed(1);
    const at::Tensor before = noisy(picture(0, 0), 2);
    const auto none = [&](const at::Tensor& now) { return at::equal(change(now, before), unchanged_light(now)); };
    EXPECT_TRUE(none(before));
    EXPECT_TRUE(none(noisy(picture(0, 0), 2))) << "noise";
    for (const double pan : {0.5, 2.0, 8.0, 25.0}) {
        EXPECT_TRUE(none(noisy(picture(pan, -pan / 2), 2))) << pan;
    }
    at::Tensor entered = noisy(picture(0, 0), 2);
    entered.narrow(2, 0, 40).fill_(0.95);
    EXPECT_TRUE(none(entered));
}

TEST(ChangeOfLight, flat_pictures_and_small_ones_give_finite_numbers) {
    for (const std::int64_t side : {2, 9, 16}) {
        const at::Tensor black = at::zeros({1, 1, side, side});
        const at::Tensor light = change_of_light(at::full({1, 1, side, side}, 0.4), black);
        EXPECT_TRUE(light.isfinite().all().item<bool>()) << side;
        EXPECT_TRUE(at::equal(change_of_light(black, black), unchanged_light(black)));
    }
}

TEST(MotionEstimator, a_fade_leaves_no_residual_and_makes_no_flow) {
    MotionEstimator estimator(FlowQuality::full);
    const at::Tensor first = picture(0, 0);
    estimator.next(first);
    const Motion motion = estimator.next(first * 0.9);
    ASSERT_FALSE(motion.cut);
    EXPECT_EQ(motion.flow.abs().max().item<float>(), 0);
    EXPECT_LT(motion.residual.max().item<float>(), 1.0F / 255);
    EXPECT_FALSE(motion.still.any().item<bool>()) << "what fades must not be copied";
    const Motion none = estimator.next(first * 0.9);
    EXPECT_TRUE(at::equal(none.light, unchanged_light(first)));
    EXPECT_TRUE(none.still.all().item<bool>());
}

}   // namespace
}   // namespace millstream
