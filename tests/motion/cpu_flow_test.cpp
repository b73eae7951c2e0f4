// The CPU's own flow against the reference in tensor operations.
#include "motion/cpu_flow.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "motion/filters.h"
#include "motion/flow_reference.h"
#include "motion/moving_pictures.h"

namespace millstream {
namespace {

at::Tensor scene(std::int64_t height, std::int64_t width, double x, double y, double noise) {
    const Texture texture(7);
    return luma(noisy(draw(height, width,
                           [&](Point p) {
                               return texture.at({p.x + x, p.y + y});
                           }),
                      noise)
                    .unsqueeze(0));
}

double distance(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).square().sum(1).sqrt().mean().item<double>();
}

TEST(CpuFlow, equals_the_reference_but_for_rounding) {
    at::manual_seed(1);
    for (const FlowQuality quality : {FlowQuality::full, FlowQuality::fast}) {
        CpuFlow flow(quality);
        for (const auto& [height, width] :
             {std::pair{16, 16}, {9, 200}, {45, 63}, {180, 320}, {181, 319}, {300, 100}}) {
            const at::Tensor now = scene(height, width, 1.7, -2.4, 2);
            const at::Tensor before = scene(height, width, 0, 0, 2);
            const at::Tensor found = flow.flow(now, before);
            EXPECT_LT(distance(found, reference_flow(now, before, quality)), 0.01) << height << "x" << width;
            EXPECT_TRUE(at::equal(found, flow.flow(now, before))) << "scratch memory must not matter";
        }
    }
}

TEST(CpuFlow, does_not_depend_on_the_number_of_threads) {
    at::manual_seed(1);
    const at::Tensor now = scene(200, 160, 3, 1, 2);
    const at::Tensor before = scene(200, 160, 0, 0, 2);
    const int threads = at::get_num_threads();
    CpuFlow flow(FlowQuality::full);
    at::set_num_threads(1);
    const at::Tensor alone = flow.flow(now, before);
    at::set_num_threads(4);
    EXPECT_TRUE(at::equal(flow.flow(now, before), alone));
    at::set_num_threads(threads);
}

TEST(CpuFlow, an_unchanged_frame_does_not_move) {
    const at::Tensor frame = scene(90, 120, 0, 0, 0);
    EXPECT_LT(CpuFlow(FlowQuality::full).flow(frame, frame).abs().max().item<float>(), 1e-4F);
    const at::Tensor black = at::zeros({1, 1, 90, 120});
    EXPECT_EQ(CpuFlow(FlowQuality::full).flow(black, black).abs().max().item<float>(), 0);
}

}   // namespace
}   // namespace millstream
