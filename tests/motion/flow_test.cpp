// The dense flow against motion that is known exactly.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "motion/filters.h"
#include "motion/flow_reference.h"
#include "motion/moving_pictures.h"

namespace millstream {
namespace {

constexpr std::int64_t kHeight = 120;
constexpr std::int64_t kWidth = 160;
constexpr std::int64_t kBorder = 12;

at::Tensor flow_between(const at::Tensor& now, const at::Tensor& before, FlowQuality quality) {
    return reference_flow(luma(now.unsqueeze(0)), luma(before.unsqueeze(0)), quality).squeeze(0);
}

class Flow : public testing::TestWithParam<FlowQuality> {
protected:
    // The error where what was at p is now at p - flow(p), drawn with `codes` of noise.
    static double error_for(const std::function<Point(Point)>& flow, double codes) {
        at::manual_seed(1);
        const Texture texture(3);
        const auto shade = [&](Point p) { return texture.at(p); };
        const auto moved = [&](Point p) {
            const Point by = flow(p);
            return texture.at({p.x + by.x, p.y + by.y});
        };
        const at::Tensor found = flow_between(noisy(draw(kHeight, kWidth, moved), codes),
                                              noisy(draw(kHeight, kWidth, shade), codes), GetParam());
        return end_point_error(found, true_flow(kHeight, kWidth, flow), kBorder);
    }
};

// R4.5: dense flow on tensors.
TEST_P(Flow, finds_a_slow_translation) {
    EXPECT_LT(error_for([](Point) { return Point{0.74, -0.42}; }, 0), 0.08);
}

TEST_P(Flow, finds_a_slow_translation_in_noise) {
    EXPECT_LT(error_for([](Point) { return Point{0.74, -0.42}; }, 5), 0.20);
}

TEST_P(Flow, finds_a_fast_translation) {
    EXPECT_LT(error_for([](Point) { return Point{-9.4, 3.1}; }, 0), 0.15);
}

TEST_P(Flow, finds_a_rotation_with_zoom) {
    const auto turn = [](Point p) {
        const double x = p.x - kWidth / 2.0;
        const double y = p.y - kHeight / 2.0;
        return Point{0.02 * x - 0.03 * y, 0.03 * x + 0.02 * y};
    };
    EXPECT_LT(error_for(turn, 0), 0.20);
    EXPECT_LT(error_for(turn, 5), 0.35);
}

TEST_P(Flow, finds_a_sprite_that_moves_against_its_background) {
    const Texture background(3);
    const Texture sprite(4);
    const auto inside = [](Point p, double cx, double cy) { return std::hypot(p.x - cx, p.y - cy) < 26; };
    const auto scene = [&](Point p, double t) {
        const double cx = 80 + 3.3 * t;
        const double cy = 60 - 1.7 * t;
        return inside(p, cx, cy) ? sprite.at({p.x - cx, p.y - cy}) : background.at({p.x + 0.7 * t, p.y});
    };
    const at::Tensor before = draw(kHeight, kWidth, [&](Point p) { return scene(p, 0); });
    const at::Tensor now = draw(kHeight, kWidth, [&](Point p) { return scene(p, 1); });
    const at::Tensor flow = flow_between(now, before, GetParam());
    const auto centre = [&](const at::Tensor& t) { return t.narrow(1, 50, 16).narrow(2, 75, 16); };
    const auto truth = true_flow(16, 16, [](Point) { return Point{-3.3, 1.7}; });
    EXPECT_LT(end_point_error(centre(flow), truth, 0), 0.15);
    const at::Tensor corner = flow.narrow(1, 12, 16).narrow(2, 12, 16);
    EXPECT_LT(end_point_error(corner, true_flow(16, 16, [](Point) { return Point{0.7, 0}; }), 0), 0.15);
}

TEST_P(Flow, follows_a_pan_where_there_is_no_texture) {
    const Texture texture(3);
    const auto scene = [&](Point p, double by) {
        return std::abs(p.y - 60) < 20 && std::abs(p.x - 80) < 25 ? 0.5 : texture.at({p.x + by, p.y});
    };
    const at::Tensor flow = flow_between(draw(kHeight, kWidth,
                                              [&](Point p) {
                                                  return scene({p.x, p.y}, 2.5);
                                              }),
                                         draw(kHeight, kWidth,
                                              [&](Point p) {
                                                  return scene({p.x, p.y}, 0);
                                              }),
                                         GetParam());
    EXPECT_TRUE(flow.isfinite().all().item<bool>());
    const at::Tensor left = flow.narrow(1, 12, 90).narrow(2, 12, 16);
    EXPECT_LT(end_point_error(left, true_flow(90, 16, [](Point) { return Point{2.5, 0}; }), 0), 0.15);
}

TEST_P(Flow, works_at_every_size) {
    at::manual_seed(1);
    for (const auto& [height, width] : {std::pair{2, 2}, {3, 40}, {9, 200}, {16, 16}, {45, 63}, {181, 319}}) {
        const at::Tensor now = at::rand({3, height, width});
        const at::Tensor flow = flow_between(now, at::rand({3, height, width}), GetParam());
        EXPECT_EQ(flow.sizes(), (std::vector<std::int64_t>{2, height, width}));
        EXPECT_TRUE(flow.isfinite().all().item<bool>()) << height << "x" << width;
    }
}

INSTANTIATE_TEST_SUITE_P(Quality, Flow, testing::Values(FlowQuality::full, FlowQuality::fast),
                         [](const auto& chosen) { return chosen.param == FlowQuality::full ? "full" : "fast"; });

}   // namespace
}   // namespace millstream
