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

    // x * 1 + 0: one pass over the picture, in its own layout. A 1x1 convolution would be packed into blocks of 8
    // channels and back, which costs as much as decoding the frame.
    Node& unit = network.nodes.emplace_back();
    unit.op = Op::scale_add;
    unit.name = "times one";
    unit.inputs = {0};
    unit.alpha = 1;
    unit.beta = 0;

    network.output = 1;
    analyse(network, "built in");
    return network;
}

}   // namespace millstream
