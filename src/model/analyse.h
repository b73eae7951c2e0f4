// What can be known of a network without running it. Used by analyse() and by the executors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/network.h"

namespace millstream {

/// The size of a node's output along one axis, for an input `n` pixels long: n * num / den + offset.
struct Extent {
    std::int64_t num = 1;
    std::int64_t den = 1;
    std::int64_t offset = 0;
    friend bool operator==(const Extent&, const Extent&) = default;
};

/// Shape of a node's output. A constant is [channels] alone and fits any size.
struct NodeShape {
    std::int64_t channels = 0;
    Extent extent;
    bool constant = false;

    /// Values for each input pixel, borders (Extent::offset) left aside.
    [[nodiscard]] double floats_per_pixel() const;
};

/// Shapes of all nodes. Throws Error(model) naming the layer when the graph is not sound.
std::vector<NodeShape> node_shapes(const Network& network, const std::string& file);

/// Most values alive at once, per input pixel, while the nodes of a lowered network run in order: every earlier result
/// that is still to be read, and the node's own. `weight[i]`: what one value of node i counts for, e.g. its bytes.
double most_alive(const Network& lowered, const std::vector<double>& weight);

/// For every node, the last node that reads it (its own index when none does); the output is read to the end.
std::vector<int> last_readers(const Network& network);

/// For every node, how often nodes read it; reading the output counts as once.
std::vector<int> reader_counts(const Network& network);

/// Plain or transposed.
inline bool is_convolution(const Node& node) {
    return node.op == Op::convolution || node.op == Op::deconvolution;
}

/// Which nodes the output needs.
std::vector<bool> needed_nodes(const Network& network);

}   // namespace millstream
