#include "model/fused_end.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <utility>

#include "model/executor.h"
#include "model/lower.h"
#include "model/networks.h"
#include "model/test_picture.h"

namespace millstream {
namespace {

/// As animevideov3 x2 ends: too large, the picture added, half of it.
Network enlarges_and_halves(int enlarged) {
    Network network = chain({conv(3, 8, 3), prelu(8), conv(8, 3 * enlarged * enlarged, 3), shuffle(enlarged)});
    Node repeat = resize(enlarged, 1, InterpolateMode::nearest);
    repeat.inputs = {0};
    network.nodes.push_back(std::move(repeat));
    network.nodes.push_back(add(4, 5));
    Node half = resize(1, 2, InterpolateMode::bicubic);
    half.inputs = {6};
    network.nodes.push_back(std::move(half));
    network.output = 7;
    network.scale = enlarged / 2;
    return network;
}

at::Tensor run(const Network& network, const at::Tensor& picture, Backend backend, bool any_shape = false) {
    ExecutorSettings settings;
    settings.backend = backend;
    settings.precision = Precision::fp32;
    settings.any_shape = any_shape;
    const auto executor = make_executor(network, settings);
    at::Tensor output = at::empty({1, 3, picture.size(2) * network.scale, picture.size(3) * network.scale}, at::kFloat);
    executor->start(0, picture, output);
    executor->wait(0);
    return output;
}

TEST(FusedEnd, is_found_where_nothing_else_reads_the_layers) {
    const std::optional<FusedEnd> end = fused_end(lowered(enlarges_and_halves(4)));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->features, 2);
    EXPECT_EQ(end->picture, 0);
    EXPECT_EQ(end->factor, 2);
    EXPECT_EQ(end->of_features.kernel, 5);
    EXPECT_EQ(end->of_features.shape, (std::vector<std::int64_t>{12, 8, 5, 5}));
    EXPECT_EQ(end->of_picture.shape, (std::vector<std::int64_t>{12, 3, 3, 3}));
}

TEST(FusedEnd, is_not_where_the_network_ends_otherwise) {
    EXPECT_FALSE(fused_end(lowered(chain({conv(3, 12, 3), shuffle(2)}))));
    EXPECT_FALSE(fused_end(lowered(chain({conv(3, 48, 3), shuffle(4), resize(1, 2, InterpolateMode::bicubic)}))))
        << "no picture is added";
    EXPECT_FALSE(fused_end(lowered(enlarges_and_halves(3)))) << "pixels of a block differ from block to block";
    Network read_twice = enlarges_and_halves(4);
    read_twice.nodes[6].inputs = {4, 4};
    EXPECT_FALSE(fused_end(lowered(read_twice)));
    Network in_integers = lowered(enlarges_and_halves(4));
    in_integers.nodes[3].int8 = Node::Steps{0, 1};
    EXPECT_FALSE(fused_end(in_integers));
}

// Torch runs the layers as they are.
TEST(FusedEnd, gives_the_same_picture_up_to_its_edges) {
    for (const int enlarged : {4, 2, 6}) {
        const Network network = enlarges_and_halves(enlarged);
        ASSERT_TRUE(fused_end(lowered(network))) << enlarged;
        for (const auto& [height, width] : {std::pair{40, 56}, {17, 33}, {16, 16}, {5, 64}, {1, 1}}) {
            const at::Tensor picture = test_picture(height, width);
            const at::Tensor expected = run(network, picture, Backend::torch);
            const at::Tensor result = run(network, picture, Backend::openvino);
            EXPECT_LT((result - expected).abs().max().item<float>(), 2e-5F)
                << enlarged << ": " << height << 'x' << width;
            EXPECT_TRUE(at::equal(result, run(network, picture, Backend::openvino, true))) << height << 'x' << width;
        }
    }
}

}   // namespace
}   // namespace millstream
