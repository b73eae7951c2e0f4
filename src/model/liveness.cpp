// Which results the nodes of a network read, and until when: what executors may release, and what must fit the memory.
#include <algorithm>
#include <limits>

#include "model/analyse.h"

namespace millstream {
namespace {

// Activations: OpenVINO computes them inside the layer before, Torch in place (but for PReLU, which has no such form
// and follows a convolution that needs as much). Sums and products count with a place of their own: Torch gives them
// one.
bool works_in_place(Op op) {
    return op == Op::prelu || op == Op::leaky_relu || op == Op::relu || op == Op::sigmoid || op == Op::silu;
}

/// The results that node `index` reads for the last time, each once.
std::vector<std::size_t> released_by(const Network& network, std::size_t index, const std::vector<int>& last) {
    std::vector<std::size_t> released;
    for (const int input : network.nodes[index].inputs) {
        const auto source = static_cast<std::size_t>(input);
        const bool known = std::find(released.begin(), released.end(), source) != released.end();
        if (!known && last[source] == static_cast<int>(index)) {
            released.push_back(source);
        }
    }
    return released;
}

}   // namespace

std::vector<bool> needed_nodes(const Network& network) {
    std::vector<bool> needed(network.nodes.size(), false);
    needed[static_cast<std::size_t>(network.output)] = true;
    for (std::size_t i = network.nodes.size(); i-- > 0;) {
        if (needed[i]) {
            for (const int input : network.nodes[i].inputs) {
                needed[static_cast<std::size_t>(input)] = true;
            }
        }
    }
    return needed;
}

std::vector<int> last_readers(const Network& network) {
    const std::vector<bool> needed = needed_nodes(network);
    std::vector<int> last(network.nodes.size());
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        last[i] = static_cast<int>(i);
        if (needed[i]) {
            for (const int input : network.nodes[i].inputs) {
                last[static_cast<std::size_t>(input)] = static_cast<int>(i);
            }
        }
    }
    last[static_cast<std::size_t>(network.output)] = std::numeric_limits<int>::max();
    return last;
}

std::vector<int> reader_counts(const Network& network) {
    std::vector<int> counts(network.nodes.size(), 0);
    for (const Node& node : network.nodes) {
        for (const int input : node.inputs) {
            ++counts[static_cast<std::size_t>(input)];
        }
    }
    ++counts[static_cast<std::size_t>(network.output)];
    return counts;
}

double most_alive(const Network& lowered, const std::vector<double>& weight) {
    const std::vector<NodeShape> shapes = node_shapes(lowered, lowered.name);
    const std::vector<bool> needed = needed_nodes(lowered);
    const std::vector<int> last = last_readers(lowered);
    const auto size = [&](std::size_t i) { return shapes[i].floats_per_pixel() * weight[i]; };
    double alive = 0;
    double most = 0;
    for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
        if (!needed[i]) {
            continue;
        }
        double freed = 0;
        bool takes_a_place = false;   // that of an input nobody else will read; the picture itself is the caller's
        for (const std::size_t source : released_by(lowered, i, last)) {
            freed += size(source);
            takes_a_place = takes_a_place || (works_in_place(lowered.nodes[i].op) && source != 0);
        }
        most = std::max(most, takes_a_place ? alive - freed + std::max(freed, size(i)) : alive + size(i));
        alive += size(i) - freed;
    }
    return most;
}

}   // namespace millstream
