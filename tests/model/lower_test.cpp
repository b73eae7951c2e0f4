#include "model/lower.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "millstream/error.h"
#include "model/executor.h"
#include "model/networks.h"
#include "model/test_picture.h"

namespace millstream {
namespace {

TEST(Lower, leaves_whole_repeats_and_other_layers_alone) {
    const Network network = chain({conv(3, 12, 3), shuffle(2), resize(2, 1, InterpolateMode::nearest)});
    const Network result = lowered(network);
    ASSERT_EQ(result.nodes.size(), network.nodes.size());
    EXPECT_EQ(result.nodes[3].op, Op::interpolate);
}

TEST(Lower, leaves_out_layers_that_the_output_does_not_need) {
    Network network = chain({conv(3, 3, 3), conv(3, 3, 1)});
    network.nodes[2].inputs = {0};
    const Network result = lowered(network);
    EXPECT_EQ(result.nodes.size(), 2U);
    EXPECT_EQ(result.output, 1);
}

TEST(Lower, makes_halving_a_strided_four_by_four_filter) {
    const Network result = lowered(chain({resize(1, 2, InterpolateMode::bicubic)}));
    ASSERT_EQ(result.nodes.size(), 3U);
    EXPECT_EQ(result.nodes[1].op, Op::pad);
    EXPECT_EQ(result.nodes[1].padding, 1);
    const Node& filter = result.nodes[2];
    EXPECT_EQ(filter.kernel, 4);
    EXPECT_EQ(filter.stride, 2);
    EXPECT_EQ(filter.groups, 3);
    EXPECT_EQ(filter.weights[0], 9.0F / 1024);     // (-3/32)^2: Keys' filter with a = -0.75, half-way
    EXPECT_EQ(filter.weights[5], 361.0F / 1024);   // (19/32)^2
}

TEST(Lower, gives_every_phase_a_sum_of_one) {
    for (const auto mode : {InterpolateMode::nearest, InterpolateMode::bilinear, InterpolateMode::bicubic}) {
        for (const auto& [num, den] : {std::pair{1, 2}, {3, 4}, {2, 3}, {3, 2}, {5, 16}}) {
            const Network result = lowered(chain({resize(num, den, mode)}));
            for (const Node& node : result.nodes) {
                if (node.op == Op::convolution) {
                    const std::size_t size =
                        static_cast<std::size_t>(node.kernel) * static_cast<std::size_t>(node.kernel);
                    for (std::size_t at = 0; at < node.weights.size(); at += size) {
                        double sum = 0;
                        for (std::size_t i = 0; i < size; ++i) {
                            sum += static_cast<double>(node.weights[at + i]);
                        }
                        EXPECT_NEAR(sum, 1, 1e-6);
                    }
                }
            }
        }
    }
}

// Against Torch's own resampling, edges included.
TEST(Lower, agrees_with_torchs_resampling) {
    const at::Tensor picture = test_picture(24, 36);
    for (const auto mode : {InterpolateMode::bilinear, InterpolateMode::bicubic}) {
        for (const auto& [num, den] : {std::pair{1, 2}, {3, 4}, {2, 3}, {3, 2}, {2, 1}, {4, 1}}) {
            Network network = chain({resize(num, den, mode)});
            network.scale = 1;   // not a whole factor: run the lowered graph without analyse()
            const std::int64_t height = 24 * num / den;
            const std::int64_t width = 36 * num / den;
            ExecutorSettings settings;
            settings.backend = Backend::torch;
            settings.precision = Precision::fp32;
            const auto executor = make_executor(network, settings);
            at::Tensor result = at::empty({1, 3, height, width}, at::kFloat);
            executor->start(0, picture, result);
            executor->wait(0);
            const at::Tensor expected = mode == InterpolateMode::bicubic
                                            ? at::upsample_bicubic2d(picture, {height, width}, false)
                                            : at::upsample_bilinear2d(picture, {height, width}, false);
            EXPECT_LT((result - expected).abs().max().item<float>(), 2e-6F) << num << '/' << den;
        }
    }
}

TEST(Lower, refuses_filters_that_would_fill_the_memory) {
    EXPECT_THROW(lowered(chain({conv(3, 1 << 16, 1), resize(16, 15, InterpolateMode::bicubic)})), Error);
}

}   // namespace
}   // namespace millstream
