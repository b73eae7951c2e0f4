#include "model/quantise.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/analyse.h"
#include "model/lower.h"
#include "model/precision.h"
#include "networks.h"
#include "test_picture.h"

namespace millstream {
namespace {

ExecutorSettings settings() {
    ExecutorSettings made;
    made.backend = Backend::openvino;
    made.precision = Precision::fp32;
    made.threads = 2;
    return made;
}

// Features of very different sizes, as trained networks have them; the end adds the picture.
Network uneven_network(float gain = 0.1F) {
    std::vector<Node> nodes{conv(3, 16, 3), prelu(16)};
    for (int i = 0; i < 4; ++i) {
        nodes.push_back(conv(16, 16, 3));
        nodes.push_back(prelu(16));
    }
    nodes.push_back(conv(16, 12, 3));
    for (Node& node : nodes) {
        if (node.op == Op::convolution) {
            for (std::size_t k = 0; k < node.weights.size(); ++k) {   // positive sums alone would have no detail
                const std::size_t output = k * 16 / node.weights.size();
                node.weights[k] *= (k % 2 == 0 ? 1.6F : -1.1F) * (output % 5 == 0 ? 6.0F : 1.0F);
            }
        }
    }
    for (float& weight : nodes.back().weights) {
        weight *= gain;
    }
    nodes.push_back(shuffle(2));
    Network network = chain(nodes);
    Node skip = resize(2, 1, InterpolateMode::nearest);
    skip.inputs = {0};
    network.nodes.push_back(skip);
    network.nodes.push_back(add(network.output, network.output + 1));
    network.output += 2;
    analyse(network, "test");
    return network;
}

at::Tensor output_of(const Network& network, Precision precision, const at::Tensor& picture) {
    ExecutorSettings how = settings();
    how.precision = precision;
    return run_once(*make_executor(network, how), network, picture);
}

double psnr(const at::Tensor& a, const at::Tensor& b) {
    return -10 * std::log10((a - b).square().mean().item<double>());
}

TEST(Quantise, what_is_watched_are_the_extremes_and_the_mean_of_each_channel) {
    const Network network = lowered(uneven_network());
    const std::vector<at::Tensor> pictures{test_picture(40, 48), test_picture(24, 32) * 0.5};
    const int first = quantisable(network).front();
    const std::vector<int> watched{1, first};
    const auto seen = watch_inputs(network, watched, pictures, 2);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[1].node, first);
    EXPECT_EQ(seen[1].low.size(), 16U);
    for (std::size_t c = 0; c < 3; ++c) {   // what the first convolution reads is the picture itself
        const auto channel = [c](const at::Tensor& picture) { return picture[0][static_cast<std::int64_t>(c)]; };
        EXPECT_EQ(seen[0].low[c],
                  std::min(channel(pictures[0]).min().item<float>(), channel(pictures[1]).min().item<float>()));
        EXPECT_EQ(seen[0].high[c],
                  std::max(channel(pictures[0]).max().item<float>(), channel(pictures[1]).max().item<float>()));
        EXPECT_NEAR(seen[0].mean[c],
                    (channel(pictures[0]).mean().item<float>() + channel(pictures[1]).mean().item<float>()) / 2, 1e-5);
    }
}

TEST(Quantise, bringing_channels_to_one_range_does_not_change_the_result) {
    const Network network = lowered(uneven_network());
    const std::vector<at::Tensor> pictures{test_picture(64, 64)};
    const std::vector<int> chosen = quantisable(network);
    ASSERT_EQ(chosen.size(), 5U);   // all but the first, which reads the picture
    std::vector<InputValues> seen = watch_inputs(network, chosen, pictures, 2);
    for (InputValues& one : seen) {
        std::fill(one.mean.begin(), one.mean.end(), 0.0F);   // then no bias is corrected
    }
    Network prepared = quantised(network, seen, chosen);
    EXPECT_NE(prepared.nodes[static_cast<std::size_t>(chosen[1])].weights,
              network.nodes[static_cast<std::size_t>(chosen[1])].weights);
    for (Node& node : prepared.nodes) {
        node.int8.reset();
    }
    EXPECT_GT(psnr(output_of(prepared, Precision::fp32, pictures[0]), output_of(network, Precision::fp32, pictures[0])),
              100);
}

TEST(Quantise, zero_is_one_of_the_steps) {
    const Network network = lowered(uneven_network());
    const std::vector<int> chosen = quantisable(network);
    const std::vector<at::Tensor> pictures{test_picture(32, 32)};
    const Network prepared = quantised(network, watch_inputs(network, chosen, pictures, 2), chosen);
    for (const int index : chosen) {
        const auto& steps = prepared.nodes[static_cast<std::size_t>(index)].int8;
        ASSERT_TRUE(steps);
        ASSERT_LE(steps->low, 0);
        const float step = (steps->high - steps->low) / 255;
        EXPECT_NEAR(steps->low / step, std::round(steps->low / step), 1e-3);
    }
}

TEST(Quantise, integers_differ_a_little_and_give_the_same_on_tiles) {
    const Network network = uneven_network();
    const std::vector<at::Tensor> pictures{test_picture(64, 80)};
    const Int8Choice choice = quantise(network, settings(), pictures, pictures);
    ASSERT_TRUE(choice.network);
    EXPECT_GE(choice.psnr, kLeastInt8Psnr);
    EXPECT_GT(choice.chosen, 0);
    EXPECT_GT(choice.share, 0.25);
    const at::Tensor whole = output_of(*choice.network, Precision::int8, pictures[0]);
    const at::Tensor exact = output_of(network, Precision::fp32, pictures[0]);
    EXPECT_FALSE(whole.equal(exact));   // it did run in integers
    EXPECT_GE(psnr(whole, exact), kLeastInt8Psnr - 1);
    // The left half with all that its pixels depend on.
    const std::int64_t halo = network.receptive_radius;
    const at::Tensor part =
        output_of(*choice.network, Precision::int8, pictures[0].narrow(3, 0, 40 + halo).contiguous());
    EXPECT_TRUE(part.narrow(3, 0, 80).equal(whole.narrow(3, 0, 80)));
}

TEST(Quantise, what_comes_of_it_is_the_same_every_time) {
    const Network network = uneven_network();
    const std::vector<at::Tensor> pictures{test_picture(48, 48)};
    const Int8Choice once = quantise(network, settings(), pictures, pictures);
    const Int8Choice again = quantise(network, settings(), pictures, pictures);
    ASSERT_TRUE(once.network);
    ASSERT_TRUE(again.network);
    EXPECT_EQ(once.chosen, again.chosen);
    EXPECT_TRUE(output_of(*once.network, Precision::int8, pictures[0])
                    .equal(output_of(*again.network, Precision::int8, pictures[0])));
}

TEST(Quantise, where_the_picture_differs_too_much_fewer_convolutions_are_in_integers_or_none) {
    const Network network = uneven_network(1.0F);
    const std::vector<at::Tensor> dark{test_picture(64, 64) * 0.05};
    const std::vector<at::Tensor> bright{test_picture(64, 64)};   // far beyond the range that was seen
    const Int8Choice choice = quantise(network, settings(), dark, bright);
    EXPECT_EQ(choice.candidates, 5);
    EXPECT_LT(choice.chosen, choice.candidates);
    EXPECT_EQ(choice.network.has_value(), choice.psnr >= kLeastInt8Psnr);
    EXPECT_GT(choice.psnr, 0);
}

TEST(Quantise, a_network_without_features_is_left_alone) {
    const std::vector<at::Tensor> pictures{test_picture(32, 32)};
    const Int8Choice choice = quantise(identity_network(), settings(), pictures, pictures);
    EXPECT_FALSE(choice.network);
    EXPECT_EQ(choice.candidates, 0);
}

}   // namespace
}   // namespace millstream
