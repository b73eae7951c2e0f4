#include "model/fused_end.h"

#include <cstddef>
#include <string>
#include <utility>

#include "model/analyse.h"

namespace millstream {
namespace {

std::size_t place(std::int64_t index) {
    return static_cast<std::size_t>(index);
}

/// The layers of such an end, found backwards from the output.
struct Layers {
    int conv = 0;
    int shuffle = 0;
    int repeat = 0;
    int sum = 0;
    int pad = 0;
    int filter = 0;
};

std::optional<Layers> layers_of(const Network& lowered) {
    const std::vector<int> readers = reader_counts(lowered);
    const auto node = [&](int index) -> const Node& { return lowered.nodes[place(index)]; };
    // The input of this kind, read by nobody else; 0 (the network's input) is none.
    const auto input_of = [&](int reader, Op op) {
        for (const int input : node(reader).inputs) {
            if (node(input).op == op && readers[place(input)] == 1) {
                return input;
            }
        }
        return 0;
    };
    Layers found;
    found.filter = lowered.output;
    if (node(found.filter).op != Op::convolution || (found.pad = input_of(found.filter, Op::pad)) == 0 ||
        (found.sum = input_of(found.pad, Op::add)) == 0 ||
        (found.shuffle = input_of(found.sum, Op::pixel_shuffle)) == 0 ||
        (found.repeat = input_of(found.sum, Op::interpolate)) == 0 ||
        (found.conv = input_of(found.shuffle, Op::convolution)) == 0) {
        return std::nullopt;
    }
    const Node& conv = node(found.conv);
    const Node& filter = node(found.filter);
    const Node& pad = node(found.pad);
    const int enlarged = node(found.shuffle).factor_num;
    const std::int64_t channels = filter.groups;
    const bool fits =
        conv.stride == 1 && conv.groups == 1 && conv.kernel % 2 == 1 && conv.padding == conv.kernel / 2 && !conv.int8 &&
        conv.shape[0] == channels * enlarged * enlarged && node(found.repeat).factor_num == enlarged &&
        filter.shape[0] == channels && filter.shape[1] == 1 && filter.padding == 0 && filter.bias.empty() &&
        filter.kernel == filter.stride + 2 * pad.padding && pad.padding <= enlarged && enlarged % filter.stride == 0;
    return fits ? std::optional(found) : std::nullopt;
}

/// [out][in][kernel][kernel], added up in double precision.
class Sums {
public:
    Sums(std::int64_t outputs, std::int64_t inputs, int kernel)
        : inputs_(inputs), kernel_(kernel), values_(place(outputs * inputs * kernel * kernel), 0.0) {}
    double& at(std::int64_t out, std::int64_t in, std::int64_t y, std::int64_t x) {
        return values_[place(((out * inputs_ + in) * kernel_ + y) * kernel_ + x)];
    }
    [[nodiscard]] std::vector<float> rounded() const { return {values_.begin(), values_.end()}; }

private:
    std::int64_t inputs_;
    int kernel_;
    std::vector<double> values_;
};

Node convolution(std::string name, std::int64_t outputs, std::int64_t inputs, int kernel) {
    Node node;
    node.op = Op::convolution;
    node.name = std::move(name);
    node.kernel = kernel;
    node.padding = kernel / 2 - 1;   // less than the kernel reaches: without the outermost pixels
    node.shape = {outputs, inputs, kernel, kernel};
    return node;
}

}   // namespace

std::optional<FusedEnd> fused_end(const Network& lowered) {
    const std::optional<Layers> layers = layers_of(lowered);
    if (!layers) {
        return std::nullopt;
    }
    const Node& conv = lowered.nodes[place(layers->conv)];
    const Node& filter = lowered.nodes[place(layers->filter)];
    const int enlarged = lowered.nodes[place(layers->shuffle)].factor_num;
    const int edge = lowered.nodes[place(layers->pad)].padding;
    const int factor = enlarged / filter.stride;
    const std::int64_t channels = filter.groups;
    const std::int64_t inputs = conv.shape[1];
    const std::int64_t outputs = channels * factor * factor;
    FusedEnd end;
    end.features = conv.inputs[0];
    end.picture = lowered.nodes[place(layers->repeat)].inputs[0];
    end.replaced = {layers->conv, layers->shuffle, layers->repeat, layers->sum, layers->pad, layers->filter};
    end.factor = factor;
    end.strip = 2 + conv.kernel / 2;
    end.of_features = convolution(conv.name + " (fused)", outputs, inputs, conv.kernel + 2);
    end.of_picture = convolution(filter.name + " (of the picture)", outputs, channels, 3);

    Sums of_features(outputs, inputs, conv.kernel + 2);
    Sums of_picture(outputs, channels, 3);
    std::vector<double> bias(place(outputs), 0.0);
    // A tap of the filter for output pixel (py, px) of a block falls on pixel (sy, sx) of block (by, bx) around it.
    const auto for_each_tap = [&](const auto& use) {
        for (std::int64_t c = 0; c < channels; ++c) {
            for (int p = 0; p < factor * factor; ++p) {
                for (int tap = 0; tap < filter.kernel * filter.kernel; ++tap) {
                    const int y = filter.stride * (p / factor) + tap / filter.kernel - edge + enlarged;
                    const int x = filter.stride * (p % factor) + tap % filter.kernel - edge + enlarged;
                    const std::int64_t channel = (c * enlarged + y % enlarged) * enlarged + x % enlarged;
                    const auto weight =
                        static_cast<double>(filter.weights[place(c * filter.kernel * filter.kernel + tap)]);
                    use(c * factor * factor + p, c, channel, y / enlarged, x / enlarged, weight);
                }
            }
        }
    };
    for_each_tap([&](std::int64_t out, std::int64_t c, std::int64_t channel, int by, int bx, double weight) {
        of_picture.at(out, c, by, bx) += weight;
        if (!conv.bias.empty()) {
            bias[place(out)] += weight * static_cast<double>(conv.bias[place(channel)]);
        }
        const float* from = conv.weights.data() + channel * inputs * conv.kernel * conv.kernel;
        for (std::int64_t in = 0; in < inputs; ++in) {
            for (int y = 0; y < conv.kernel; ++y) {
                for (int x = 0; x < conv.kernel; ++x) {
                    of_features.at(out, in, by + y, bx + x) += weight * static_cast<double>(*from++);
                }
            }
        }
    });
    end.of_features.weights = of_features.rounded();
    end.of_features.bias = {bias.begin(), bias.end()};
    end.of_picture.weights = of_picture.rounded();
    return end;
}

}   // namespace millstream
