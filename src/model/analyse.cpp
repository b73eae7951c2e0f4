#include "model/analyse.h"

#include <algorithm>
#include <numeric>

#include "millstream/error.h"
#include "model/lower.h"

// Note [Receptive radius]
// Cut the picture into cells of `alignment` x `alignment` input pixels; a cell produces alignment * scale output pixels
// a side. The radius R is the smallest number such that no output pixel of a cell [0, alignment) depends on an input
// pixel outside [-R, alignment + R), whatever the weights are. A tile whose origin and size are multiples of the
// alignment, read with R pixels around it, therefore gives exactly the whole frame's values.
//
// It is found by following the interval of the cell's output pixels back through the graph. Every layer maps an
// interval of its output to the interval of its input that it reads, and both ends move monotonically, so the hull of
// the pixels read is exact, not an estimate. It counts pixels, not centres, which is what makes the end of
// animevideov3 x2 come out right: its two output pixels a cell are bicubic means of pixels -1..4 of the x4 picture,
// which lie in the cells -1, 0 and 1. So that net has R = 19 where the x4 net alone has 18.

namespace millstream {
namespace {

constexpr std::int64_t kMaxAlignment = 1024;

/// Indices of one node's pixels along one axis, both ends included.
struct Interval {
    std::int64_t first = 0;
    std::int64_t last = -1;
    [[nodiscard]] bool empty() const { return last < first; }
    void join(const Interval& other) {
        if (empty()) {
            *this = other;
        } else if (!other.empty()) {
            first = std::min(first, other.first);
            last = std::max(last, other.last);
        }
    }
};

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/// The input pixels that the output pixels `out` of a node read.
Interval read_by(const Node& node, const Interval& out) {
    const std::int64_t k = node.kernel;
    const std::int64_t stride = node.stride;
    const std::int64_t padding = node.padding;
    switch (node.op) {
        case Op::convolution:
            return {out.first * stride - padding, out.last * stride - padding + k - 1};
        case Op::deconvolution:   // input i writes outputs i * stride - padding + [0, k)
            return {floor_div(out.first + padding - k + stride, stride), floor_div(out.last + padding, stride)};
        case Op::pixel_shuffle:
            return {floor_div(out.first, node.factor_num), floor_div(out.last, node.factor_num)};
        case Op::interpolate:   // only nearest, upwards: see lowered()
            return {floor_div(out.first, node.factor_num), floor_div(out.last, node.factor_num)};
        case Op::pad:
            return {out.first - padding, out.last - padding};
        case Op::crop:
            return {out.first + padding, out.last + padding};
        default:
            return out;
    }
}

int receptive_radius(const Network& network, std::int64_t alignment, std::int64_t scale) {
    std::vector<Interval> wanted(network.nodes.size());
    wanted[static_cast<std::size_t>(network.output)] = {0, alignment * scale - 1};
    for (std::size_t i = network.nodes.size(); i-- > 0;) {
        if (!wanted[i].empty()) {
            for (const int input : network.nodes[i].inputs) {
                wanted[static_cast<std::size_t>(input)].join(read_by(network.nodes[i], wanted[i]));
            }
        }
    }
    if (wanted[0].empty()) {
        return 0;
    }
    return static_cast<int>(std::max({std::int64_t{0}, -wanted[0].first, wanted[0].last - (alignment - 1)}));
}

double macs_per_pixel(const Network& network, const std::vector<NodeShape>& shapes) {
    const std::vector<bool> needed = needed_nodes(network);
    double macs = 0;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        const Node& node = network.nodes[i];
        if (!needed[i] || (node.op != Op::convolution && node.op != Op::deconvolution)) {
            continue;
        }
        const NodeShape& input = shapes[static_cast<std::size_t>(node.inputs[0])];
        // A convolution multiplies every weight once an output pixel, a transposed one once an input pixel.
        const NodeShape& grid = node.op == Op::convolution ? shapes[i] : input;
        macs += static_cast<double>(node.weights.size()) * grid.floats_per_pixel() / static_cast<double>(grid.channels);
    }
    return macs;
}

}   // namespace

void analyse(Network& network, const std::string& file) {
    const std::vector<NodeShape> shapes = node_shapes(network, file);
    const auto fail = [&](const std::string& why) {
        throw Error(ErrorKind::model, {"checking the network",
                                       file + ", layer " + network.nodes[static_cast<std::size_t>(network.output)].name,
                                       why,
                                       {}});
    };
    const NodeShape& output = shapes[static_cast<std::size_t>(network.output)];
    if (output.constant || output.channels != 3) {
        fail("the network must give 3 channels, but gives " + std::to_string(output.channels));
    }
    const Extent& extent = output.extent;
    if (extent.den != 1 || extent.num > 8 || extent.offset != 0) {
        fail("the output must be 1 to 8 times the input's size, but is " + std::to_string(extent.num) + "/" +
             std::to_string(extent.den) + " times the size plus " + std::to_string(extent.offset) + " pixels");
    }
    const std::vector<bool> needed = needed_nodes(network);
    if (!needed[0]) {
        fail("the output does not depend on the input");
    }
    std::int64_t alignment = 1;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        if (needed[i]) {
            alignment = std::lcm(alignment, shapes[i].extent.den);
            if (alignment > kMaxAlignment) {
                fail("input sides would have to be multiples of more than " + std::to_string(kMaxAlignment));
            }
        }
    }
    const Network run = lowered(network);

    network.scale = static_cast<int>(extent.num);
    network.channels = 3;
    network.alignment = static_cast<int>(alignment);
    network.receptive_radius = receptive_radius(run, alignment, extent.num);
    network.macs_per_pixel = macs_per_pixel(network, shapes);
    network.weight_bytes = 0;
    for (const Node& node : network.nodes) {
        network.weight_bytes += (node.weights.size() + node.bias.size()) * sizeof(float);
    }
}

}   // namespace millstream
