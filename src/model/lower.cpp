#include "model/lower.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "millstream/error.h"
#include "model/analyse.h"

namespace millstream {
namespace {

// Filters that a hostile file could ask for would fill the memory; real ones have a few hundred values.
constexpr std::int64_t kMaxFilterValues = std::int64_t{1} << 24;

/// One input pixel's weight in an output pixel, along one axis.
struct Tap {
    int offset;
    double weight;
};

// Half-pixel centres: output pixel o of a factor p/q lies at (o + 0.5) * q / p - 0.5 of the input.
std::vector<Tap> taps_of(const Node& node, int phase) {
    const int p = node.factor_num;
    const int q = node.factor_den;
    if (node.mode == InterpolateMode::nearest) {
        return {{phase * q / p, 1.0}};
    }
    const double centre = (phase + 0.5) * q / p - 0.5;
    const int base = static_cast<int>(std::floor(centre));
    const double t = centre - base;
    if (node.mode == InterpolateMode::bilinear) {
        return {{base, 1 - t}, {base + 1, t}};
    }
    // Keys' cubic convolution with a = -0.75, as PyTorch and ncnn have it.
    constexpr double a = -0.75;
    const auto near = [](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };        // |x| <= 1
    const auto far = [](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };   // 1 < |x| < 2
    return {{base - 1, far(t + 1)}, {base, near(t)}, {base + 1, near(1 - t)}, {base + 2, far(2 - t)}};
}

/// The filter of all phases along one axis on a common support [-padding, q + padding).
struct Filter {
    int padding = 0;
    int size = 0;
    std::vector<std::vector<double>> phases;   // [p][size]
};

Filter filter_of(const Node& node) {
    std::vector<std::vector<Tap>> taps;
    Filter filter;
    for (int phase = 0; phase < node.factor_num; ++phase) {
        taps.push_back(taps_of(node, phase));
        std::erase_if(taps.back(), [](const Tap& tap) { return tap.weight == 0; });
        for (const Tap& tap : taps.back()) {
            filter.padding = std::max({filter.padding, -tap.offset, tap.offset - (node.factor_den - 1)});
        }
    }
    filter.size = node.factor_den + 2 * filter.padding;
    for (const std::vector<Tap>& phase : taps) {
        std::vector<double>& row = filter.phases.emplace_back(static_cast<std::size_t>(filter.size), 0.0);
        for (const Tap& tap : phase) {
            row[static_cast<std::size_t>(tap.offset + filter.padding)] += tap.weight;
        }
    }
    return filter;
}

Node convolution_of(const Node& node, const Filter& filter, std::int64_t channels) {
    Node conv;
    conv.op = Op::convolution;
    conv.name = node.name;
    conv.kernel = filter.size;
    conv.stride = node.factor_den;
    conv.groups = static_cast<int>(channels);
    const int p = node.factor_num;
    conv.shape = {channels * p * p, 1, filter.size, filter.size};
    for (std::int64_t c = 0; c < channels; ++c) {
        for (const auto& vertical : filter.phases) {
            for (const auto& horizontal : filter.phases) {
                for (const double y : vertical) {
                    for (const double x : horizontal) {
                        conv.weights.push_back(static_cast<float>(y * x));
                    }
                }
            }
        }
    }
    return conv;
}

bool is_plain_repeat(const Node& node) {
    return node.mode == InterpolateMode::nearest && node.factor_den == 1;
}

}   // namespace

Network lowered(const Network& network) {
    const std::vector<NodeShape> shapes = node_shapes(network, network.name);
    const std::vector<bool> needed = needed_nodes(network);
    Network result;
    result.name = network.name;
    result.scale = network.scale;
    result.channels = network.channels;
    result.receptive_radius = network.receptive_radius;
    result.alignment = network.alignment;
    result.macs_per_pixel = network.macs_per_pixel;
    result.weight_bytes = network.weight_bytes;

    std::int64_t filter_values = 0;
    std::vector<int> place(network.nodes.size(), -1);
    const auto append = [&result](Node node) {
        result.nodes.push_back(std::move(node));
        return static_cast<int>(result.nodes.size()) - 1;
    };
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        const Node& node = network.nodes[i];
        if (!needed[i]) {
            continue;
        }
        std::vector<int> inputs;
        for (const int input : node.inputs) {
            inputs.push_back(place[static_cast<std::size_t>(input)]);
        }
        if (node.op != Op::interpolate || is_plain_repeat(node)) {
            Node copy = node;
            copy.inputs = inputs;
            place[i] = append(std::move(copy));
            continue;
        }
        const std::int64_t channels = shapes[static_cast<std::size_t>(node.inputs[0])].channels;
        const Filter filter = filter_of(node);
        const std::int64_t size = filter.size;
        filter_values += channels * node.factor_num * node.factor_num * size * size;
        if (filter_values > kMaxFilterValues) {
            throw Error(ErrorKind::model, {"preparing the network",
                                           network.name + ", layer " + node.name,
                                           "its resampling filter is too large",
                                           {}});
        }
        int last = inputs[0];
        if (filter.padding > 0) {
            Node pad;
            pad.op = Op::pad;
            pad.name = node.name + " (edge)";
            pad.inputs = {last};
            pad.padding = filter.padding;
            last = append(std::move(pad));
        }
        Node conv = convolution_of(node, filter, channels);
        conv.inputs = {last};
        last = append(std::move(conv));
        if (node.factor_num > 1) {
            Node shuffle;
            shuffle.op = Op::pixel_shuffle;
            shuffle.name = node.name + " (phases)";
            shuffle.inputs = {last};
            shuffle.factor_num = node.factor_num;
            last = append(std::move(shuffle));
        }
        place[i] = last;
    }
    result.output = place[static_cast<std::size_t>(network.output)];
    return result;
}

}   // namespace millstream
