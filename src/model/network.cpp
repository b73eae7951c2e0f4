#include "model/network.h"

namespace millstream {

std::string_view to_string(Op op) {
    switch (op) {
        case Op::input:
            return "input";
        case Op::constant:
            return "constant";
        case Op::convolution:
            return "convolution";
        case Op::deconvolution:
            return "deconvolution";
        case Op::prelu:
            return "prelu";
        case Op::leaky_relu:
            return "leaky_relu";
        case Op::relu:
            return "relu";
        case Op::sigmoid:
            return "sigmoid";
        case Op::silu:
            return "silu";
        case Op::add:
            return "add";
        case Op::subtract:
            return "subtract";
        case Op::multiply:
            return "multiply";
        case Op::scale_add:
            return "scale_add";
        case Op::concat:
            return "concat";
        case Op::pixel_shuffle:
            return "pixel_shuffle";
        case Op::interpolate:
            return "interpolate";
        case Op::pad:
            return "pad";
        case Op::crop:
            return "crop";
    }
    return "unknown";
}

Network identity_network() {
    Network network;
    network.name = "identity";
    network.nodes.emplace_back();
    network.nodes.back().name = "input";

    Node& unit = network.nodes.emplace_back();
    unit.op = Op::convolution;
    unit.name = "unit matrix";
    unit.inputs = {0};
    unit.kernel = 1;
    unit.shape = {3, 3, 1, 1};
    unit.weights = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    unit.bias = {0, 0, 0};

    network.output = 1;
    analyse(network, "built in");
    return network;
}

}   // namespace millstream
