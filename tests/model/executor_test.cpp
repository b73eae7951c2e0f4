#include "model/executor.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "millstream/error.h"
#include "model/networks.h"
#include "model/plain_convolution.h"
#include "model/test_picture.h"

namespace millstream {
namespace {

ExecutorSettings settings_for(Backend backend, int threads = 2, int requests = 1) {
    ExecutorSettings settings;
    settings.backend = backend;
    settings.precision = Precision::fp32;
    settings.threads = threads;
    settings.requests = requests;
    return settings;
}

at::Tensor run(Network network, Backend backend, const at::Tensor& picture) {
    analyse(network, "test");
    return run_once(*make_executor(network, settings_for(backend)), network, picture);
}

float difference(const at::Tensor& a, const at::Tensor& b) {
    return a.sizes() == b.sizes() ? (a - b).abs().max().item<float>() : INFINITY;
}

class ExecutorTest : public testing::TestWithParam<Backend> {};

INSTANTIATE_TEST_SUITE_P(Backends, ExecutorTest, testing::Values(Backend::torch, Backend::openvino),
                         [](const auto& suite) { return suite.param == Backend::torch ? "torch" : "openvino"; });

TEST(Executor, slots_may_wait_behind_those_that_are_worked_on) {
    Network network = chain({conv(3, 8, 3), conv(8, 3, 3)});
    analyse(network, "test");
    ExecutorSettings settings = settings_for(Backend::openvino);
    settings.any_shape = true;
    settings.waiting = 3;
    const auto executor = make_executor(network, settings);
    ASSERT_EQ(executor->requests(), 4U);
    std::vector<at::Tensor> outputs;
    for (std::size_t slot = 0; slot < 4; ++slot) {
        const at::Tensor picture = test_picture(20, 16 + 8 * static_cast<int>(slot));
        outputs.push_back(at::empty_like(picture));
        executor->start(slot, picture, outputs.back());
    }
    for (std::size_t slot = 4; slot-- > 0;) {
        executor->wait(slot);
        const at::Tensor picture = test_picture(20, 16 + 8 * static_cast<int>(slot));
        EXPECT_EQ(difference(outputs[slot], run(network, Backend::openvino, picture)), 0);
    }
}

TEST_P(ExecutorTest, runs_convolutions) {
    const at::Tensor picture = test_picture(17, 23);
    for (const Node& node : {conv(3, 3, 3), conv(3, 3, 1), conv(3, 3, 5, 1, 2), conv(3, 3, 3, 1, 1, 3)}) {
        EXPECT_LT(difference(run(chain({node}), GetParam(), picture), plain_convolution(node, picture)), 2e-6F);
    }
    const Node shrink = conv(3, 12, 2, 2, 0);
    const at::Tensor even = test_picture(16, 24);
    const at::Tensor small = plain_convolution(shrink, even);
    const Node grouped = conv(12, 12, 3, 1, 1, 4);
    const at::Tensor expected = at::pixel_shuffle(plain_convolution(grouped, small), 2);
    EXPECT_LT(difference(run(chain({shrink, grouped, shuffle(2)}), GetParam(), even), expected), 2e-6F);
}

TEST_P(ExecutorTest, runs_transposed_convolutions) {
    const at::Tensor picture = test_picture(9, 13);
    for (const Node& node : {deconv(3, 3, 4, 2, 1), deconv(3, 3, 3, 1, 1), deconv(3, 3, 2, 2, 0, 3)}) {
        EXPECT_LT(difference(run(chain({node}), GetParam(), picture), plain_deconvolution(node, picture)), 2e-6F);
    }
}

TEST_P(ExecutorTest, runs_activations) {
    const at::Tensor picture = test_picture(11, 19);
    const at::Tensor x = picture * 8 - 4;   // both signs
    const auto after = [&](const Node& node) { return run(chain({scale_add(8, -4), node}), GetParam(), picture); };
    Node leaky = simple(Op::leaky_relu);
    leaky.alpha = 0.2F;
    EXPECT_LT(difference(after(leaky), x.clamp_min(0) + x.clamp_max(0) * 0.2F), 1e-6F);
    EXPECT_LT(difference(after(simple(Op::relu)), x.clamp_min(0)), 1e-6F);
    EXPECT_LT(difference(after(simple(Op::sigmoid)), 1 / (1 + (-x).exp())), 1e-6F);
    EXPECT_LT(difference(after(simple(Op::silu)), x / (1 + (-x).exp())), 2e-6F);
    at::Tensor slopes = at::empty({1, 3, 1, 1}, at::kFloat);
    const Node each = prelu(3);
    for (int c = 0; c < 3; ++c) {
        slopes[0][c][0][0] = each.weights[static_cast<std::size_t>(c)];
    }
    EXPECT_LT(difference(after(each), x.clamp_min(0) + x.clamp_max(0) * slopes), 1e-6F);
    EXPECT_LT(difference(after(prelu(1)), x.clamp_min(0) + x.clamp_max(0) * 0.1F), 1e-6F);
}

TEST_P(ExecutorTest, runs_arithmetic) {
    const at::Tensor picture = test_picture(11, 19);
    const auto of_two = [&](Op op) {   // of the picture and 2 * picture + 1
        Network network = chain({scale_add(2, 1)});
        Node node = simple(op);
        node.inputs = {0, 1};
        network.nodes.push_back(node);
        network.output = 2;
        return run(network, GetParam(), picture);
    };
    const at::Tensor other = picture * 2 + 1;
    EXPECT_LT(difference(of_two(Op::add), picture + other), 1e-6F);
    EXPECT_LT(difference(of_two(Op::subtract), picture - other), 1e-6F);
    EXPECT_LT(difference(of_two(Op::multiply), picture * other), 1e-6F);

    Network network = chain({});
    Node mean = simple(Op::constant);
    mean.shape = {3, 1, 1};
    mean.weights = {0.4F, 0.5F, 0.6F};
    network.nodes.push_back(mean);
    Node minus = simple(Op::subtract);
    minus.inputs = {0, 1};
    network.nodes.push_back(minus);
    network.output = 2;
    const at::Tensor result = run(network, GetParam(), picture);
    for (int c = 0; c < 3; ++c) {
        EXPECT_LT(difference(result.select(1, c), picture.select(1, c) - mean.weights[static_cast<std::size_t>(c)]),
                  1e-6F);
    }
}

TEST_P(ExecutorTest, runs_what_moves_pixels) {
    const at::Tensor picture = test_picture(10, 14);
    Network doubled = chain({});
    Node both = simple(Op::concat);
    both.inputs = {0, 0, 0, 0};
    doubled.nodes.push_back(both);
    Node shuffled = shuffle(2);
    shuffled.inputs = {1};
    doubled.nodes.push_back(shuffled);
    doubled.output = 2;
    EXPECT_TRUE(run(doubled, GetParam(), picture)
                    .equal(at::pixel_shuffle(at::cat({picture, picture, picture, picture}, 1), 2)));

    const at::Tensor repeated = picture.repeat_interleave(3, 2).repeat_interleave(3, 3);
    EXPECT_TRUE(run(chain({resize(3, 1, InterpolateMode::nearest)}), GetParam(), picture).equal(repeated));
    EXPECT_TRUE(run(chain({border(Op::pad, 3), border(Op::crop, 3)}), GetParam(), picture).equal(picture));
    // A corner of what pad adds is the corner pixel.
    const Node mean = conv(3, 3, 3, 1, 0, 3);
    const at::Tensor padded = run(chain({border(Op::pad, 1), mean}), GetParam(), picture);
    at::Tensor edge = at::empty({1, 3, 12, 16}, at::kFloat);
    for (int y = 0; y < 12; ++y) {
        for (int x = 0; x < 16; ++x) {
            edge.select(2, y).select(2, x).copy_(
                picture.select(2, std::clamp(y - 1, 0, 9)).select(2, std::clamp(x - 1, 0, 13)));
        }
    }
    EXPECT_LT(difference(padded, plain_convolution(mean, edge)), 1e-6F);
}

TEST_P(ExecutorTest, gives_the_picture_of_an_identity_back_bit_for_bit) {
    const at::Tensor picture = test_picture(37, 61);
    EXPECT_TRUE(run(identity_network(), GetParam(), picture).equal(picture));
}

TEST_P(ExecutorTest, runs_batches) {
    Network network = chain({conv(3, 8, 3), prelu(8), conv(8, 12, 3), shuffle(2)});
    analyse(network, "test");
    const auto executor = make_executor(network, settings_for(GetParam()));
    const at::Tensor one = test_picture(20, 30);
    const at::Tensor two = one.flip({3}).contiguous();
    const at::Tensor both = run_once(*executor, network, at::cat({one, two}).contiguous());
    EXPECT_TRUE(both.narrow(0, 0, 1).equal(run_once(*executor, network, one)));
    EXPECT_TRUE(both.narrow(0, 1, 1).equal(run_once(*executor, network, two)));
}

TEST_P(ExecutorTest, keeps_requests_apart) {
    Network network = chain({conv(3, 32, 3), prelu(32), conv(32, 32, 3), conv(32, 3, 3)});
    analyse(network, "test");
    const auto executor = make_executor(network, settings_for(GetParam(), 2, 3));
    ASSERT_EQ(executor->requests(), 3U);
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> outputs;
    for (int i = 0; i < 3; ++i) {
        inputs.push_back((test_picture(40 + 8 * i, 60) * (0.5 + 0.1 * i)).contiguous());   // three shapes
        outputs.push_back(at::empty_like(inputs.back()));
        executor->start(static_cast<std::size_t>(i), inputs.back(), outputs.back());
    }
    for (const std::size_t i : {2U, 0U, 1U}) {
        executor->wait(i);
        executor->wait(i);   // an idle slot returns at once
    }
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(outputs[i].equal(run_once(*executor, network, inputs[i])));
    }
}

TEST_P(ExecutorTest, keeps_tensors_alive_until_they_are_done) {
    Network network = chain({conv(3, 32, 3), conv(32, 3, 3)});
    analyse(network, "test");
    const auto executor = make_executor(network, settings_for(GetParam()));
    const at::Tensor picture = test_picture(50, 60);
    const at::Tensor expected = run_once(*executor, network, picture);
    at::Tensor output = at::empty_like(picture);
    executor->start(0, picture.clone(), output);   // the caller drops its input at once
    executor->wait(0);
    EXPECT_TRUE(output.equal(expected));
}

TEST_P(ExecutorTest, writes_into_the_output_and_leaves_the_input) {
    Network network = chain({scale_add(2, 0), simple(Op::relu)});
    analyse(network, "test");
    const auto executor = make_executor(network, settings_for(GetParam()));
    const at::Tensor picture = test_picture(8, 8) - 0.5;
    const at::Tensor before = picture.clone();
    at::Tensor output = at::empty_like(picture);
    const void* memory = output.const_data_ptr();
    executor->start(0, picture, output);
    executor->wait(0);
    EXPECT_EQ(output.const_data_ptr(), memory);
    EXPECT_TRUE(picture.equal(before));
    EXPECT_LT(difference(output, (before * 2).clamp_min(0)), 1e-6F);
}

TEST_P(ExecutorTest, reports_a_failure_and_goes_on) {
    Network network = chain({conv(3, 3, 3)});
    analyse(network, "test");
    const auto executor = make_executor(network, settings_for(GetParam()));
    const at::Tensor picture = test_picture(8, 8);
    at::Tensor wrong = at::empty({1, 3, 8, 9}, at::kFloat);
    EXPECT_THROW(
        {
            executor->start(0, picture, wrong);
            executor->wait(0);
        },
        Error);
    EXPECT_EQ(run_once(*executor, network, picture).size(3), 8);
}

// Memory that is still to be read is not written over, though a crop that nobody else reads lies in it.
TEST_P(ExecutorTest, leaves_alone_what_a_crop_was_cut_from) {
    const at::Tensor picture = test_picture(12, 16);
    const at::Tensor before = picture.clone();
    const at::Tensor inner = (before * 2 - 1).narrow(2, 1, 10).narrow(3, 1, 14);
    for (const Op op : {Op::relu, Op::sigmoid, Op::silu, Op::leaky_relu}) {
        // The picture scaled, plus an activation of its middle with the border put back.
        Network network = chain({scale_add(2, -1), border(Op::crop, 1), simple(op), border(Op::pad, 1)});
        network.nodes[3].alpha = 0.5F;
        network.nodes.push_back(add(1, 4));
        network.output = 5;
        const at::Tensor sum = run(network, GetParam(), picture);
        const at::Tensor activated = op == Op::relu      ? inner.clamp_min(0)
                                     : op == Op::sigmoid ? 1 / (1 + (-inner).exp())
                                     : op == Op::silu    ? inner / (1 + (-inner).exp())
                                                         : inner.clamp_min(0) + inner.clamp_max(0) * 0.5F;
        EXPECT_LT(difference(sum.narrow(2, 1, 10).narrow(3, 1, 14), inner + activated), 1e-6F) << to_string(op);
        // The same of the caller's picture itself.
        run(chain({border(Op::crop, 1), simple(op), border(Op::pad, 1)}), GetParam(), picture);
        EXPECT_TRUE(picture.equal(before)) << to_string(op);
    }
}

// A Torch slot is idle again as soon as it has computed, so only OpenVINO's is sure to be busy here.
TEST(OpenVinoExecutor, refuses_a_start_of_a_busy_slot) {
    Network network = chain({conv(3, 3, 3)});
    analyse(network, "test");
    const auto executor = make_executor(network, settings_for(Backend::openvino));
    const at::Tensor picture = test_picture(20, 20);
    at::Tensor output = at::empty_like(picture);
    executor->start(0, picture, output);
    EXPECT_THROW(executor->start(0, picture, output), Error);
    executor->wait(0);
    EXPECT_TRUE(output.equal(run_once(*executor, network, picture)));
}

TEST(OpenVinoExecutor, refuses_tensors_whose_memory_has_gaps) {
    const Network network = identity_network();
    const auto executor = make_executor(network, settings_for(Backend::openvino));
    const at::Tensor picture = test_picture(20, 20);
    at::Tensor output = at::empty({1, 3, 20, 10}, at::kFloat);
    EXPECT_THROW(executor->start(0, picture.narrow(3, 5, 10), output), Error);
    EXPECT_TRUE(run_once(*executor, network, picture).equal(picture));   // the slot is idle
}

TEST(Executors, agree_with_each_other) {
    const at::Tensor picture = test_picture(45, 67);
    Network network = chain({conv(3, 24, 3), prelu(24), conv(24, 24, 3), simple(Op::silu), conv(24, 24, 1),
                             simple(Op::sigmoid), conv(24, 48, 3), shuffle(4), resize(3, 4, InterpolateMode::bicubic)});
    EXPECT_LT(difference(run(network, Backend::torch, picture), run(network, Backend::openvino, picture)), 2e-6F);
}

}   // namespace
}   // namespace millstream
