// Room `model`: a network as a small graph, importers that make one from files, executors that run it.
// Knows tensors; knows nothing of video, tiles or frames.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millstream {

enum class Op {
    input,           ///< the picture: [N,channels,H,W], RGB, 0..1
    constant,        ///< `weights` shaped by `shape` (broadcast against [N,C,H,W])
    convolution,     ///< weights [out,in/groups,k,k], bias [out]; stride, padding, groups
    deconvolution,   ///< transposed convolution, same fields
    prelu,           ///< weights: one slope a channel (or one for all)
    leaky_relu,      ///< alpha: slope below zero
    relu,
    sigmoid,
    silu,
    add,   ///< inputs[0] + inputs[1]
    subtract,
    multiply,
    scale_add,       ///< inputs[0] * alpha + beta: scalars of an ncnn BinaryOp
    concat,          ///< along channels
    pixel_shuffle,   ///< factor; channel order as PyTorch's (c, y, x)
    interpolate,     ///< factor_num/factor_den; mode; half-pixel centres (nearest: floor)
    pad,             ///< `padding` on every side, replicating the edge
    crop,            ///< `padding` off every side
};
std::string_view to_string(Op op);

enum class InterpolateMode { nearest, bilinear, bicubic };   ///< bicubic: a = -0.75, as PyTorch and ncnn

struct Node {
    Op op = Op::input;
    std::string name;                  ///< layer name in the model file
    std::vector<int> inputs;           ///< indices of earlier nodes
    std::vector<std::int64_t> shape;   ///< of `weights`
    std::vector<float> weights;
    std::vector<float> bias;
    int kernel = 0;
    int stride = 1;
    int padding = 0;
    int groups = 1;
    int factor_num = 1;
    int factor_den = 1;
    InterpolateMode mode = InterpolateMode::nearest;
    float alpha = 0;
    float beta = 0;
    /// Convolutions in 8-bit integers: the input values that 256 steps cover, zero among them. Note [Int8].
    struct Steps {
        float low = 0;
        float high = 0;
    };
    std::optional<Steps> int8;
};

/// Nodes in topological order; node 0 is the input, `output` the last one used. A value: executors copy what they need.
struct Network {
    std::string name;
    std::vector<Node> nodes;
    int output = 0;

    // Derived by analyse()
    int scale = 1;   ///< output size / input size
    int channels = 3;
    int receptive_radius = 0;    ///< input pixels: an output pixel depends on inputs this far and no farther
    int alignment = 1;           ///< input sides must be a multiple of it (nets that shrink first)
    double macs_per_pixel = 0;   ///< multiply-adds an input pixel
    std::uint64_t weight_bytes = 0;
};

/// Checks the graph (shapes, channel counts, 3 channels in and out, an integer scale 1..8) and fills the derived
/// fields. The receptive radius follows the output interval of one input-pixel cell back through every path (interval
/// arithmetic in units of input pixels). Throws Error(model) naming the layer.
void analyse(Network& network, const std::string& file);

/// y = x as a real graph: every value times one, run like any other network.
Network identity_network();

/// Reads ncnn's text .param and its .bin. Checks every size against the file before allocating; nothing is executed.
/// Throws Error(model) naming file, layer and reason.
Network import_ncnn(const std::filesystem::path& param, const std::filesystem::path& bin);

/// A network by catalogue name (with the file set whose scale serves `scale` best), "identity", or a path to a .param
/// file with its .bin beside it. Catalogue files are hashed and compared first.
struct LoadedModel {
    Network network;
    std::string name;
    std::filesystem::path file;   ///< of the .param; empty for built-in ones
    std::string sha256;           ///< of the weights; empty for built-in ones
};
LoadedModel load_model(const std::string& name_or_path, int scale);

/// Models loaded since the process started: a job must raise it by one.
std::int64_t model_load_count();

}   // namespace millstream
