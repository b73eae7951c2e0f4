// Small networks for tests.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "model/network.h"

namespace millstream {

/// Positive, uneven weights that sum to about one an output, so that no effect cancels out.
inline std::vector<float> test_weights(std::size_t count, std::size_t each) {
    std::vector<float> weights;
    for (std::size_t i = 0; i < count; ++i) {
        weights.push_back((1.0F + 0.5F * std::sin(static_cast<float>(i) * 1.7F)) / static_cast<float>(each));
    }
    return weights;
}

inline Node conv(int in, int out, int kernel, int stride = 1, int padding = -1, int groups = 1) {
    Node node;
    node.op = Op::convolution;
    node.name = "conv";
    node.kernel = kernel;
    node.stride = stride;
    node.padding = padding < 0 ? kernel / 2 : padding;
    node.groups = groups;
    node.shape = {out, in / groups, kernel, kernel};
    const auto each = static_cast<std::size_t>(in / groups * kernel * kernel);
    node.weights = test_weights(static_cast<std::size_t>(out) * each, each);
    for (int i = 0; i < out; ++i) {
        node.bias.push_back(0.01F * static_cast<float>(i % 7));
    }
    return node;
}

inline Node deconv(int in, int out, int kernel, int stride, int padding, int groups = 1) {
    Node node = conv(in, out, kernel, stride, padding, groups);
    node.op = Op::deconvolution;
    node.name = "deconv";
    return node;
}

inline Node simple(Op op) {
    Node node;
    node.op = op;
    node.name = std::string(to_string(op));
    return node;
}

inline Node prelu(int channels) {
    Node node = simple(Op::prelu);
    for (int i = 0; i < channels; ++i) {
        node.weights.push_back(0.1F + 0.05F * static_cast<float>(i));
    }
    return node;
}

inline Node scale_add(float alpha, float beta) {
    Node node = simple(Op::scale_add);
    node.alpha = alpha;
    node.beta = beta;
    return node;
}

inline Node shuffle(int factor) {
    Node node = simple(Op::pixel_shuffle);
    node.factor_num = factor;
    return node;
}

inline Node resize(int num, int den, InterpolateMode mode) {
    Node node = simple(Op::interpolate);
    node.factor_num = num;
    node.factor_den = den;
    node.mode = mode;
    return node;
}

inline Node border(Op op, int width) {
    Node node = simple(op);
    node.padding = width;
    return node;
}

inline Node add(int a, int b) {
    Node node = simple(Op::add);
    node.inputs = {a, b};
    return node;
}

/// Input, then each node reading the one before it.
inline Network chain(std::vector<Node> nodes) {
    Network network;
    network.name = "test";
    network.nodes.push_back(simple(Op::input));
    for (Node& node : nodes) {
        node.inputs = {static_cast<int>(network.nodes.size()) - 1};
        network.nodes.push_back(std::move(node));
    }
    network.output = static_cast<int>(network.nodes.size()) - 1;
    return network;
}

}   // namespace millstream
