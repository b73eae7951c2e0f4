#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "millstream/error.h"
#include "model/analyse.h"

namespace millstream {
namespace {

// Bounds no real network of this kind comes near. They keep every later computation far from overflow.
constexpr std::int64_t kMaxChannels = 1 << 16;
constexpr int kMaxKernel = 63;
constexpr int kMaxStride = 16;
constexpr int kMaxPadding = 512;
constexpr int kMaxFactor = 16;
constexpr std::int64_t kMaxRatio = 64;
constexpr std::int64_t kMaxOffset = 1 << 20;

/// The checks of one node, with what is needed to say which one failed.
class NodeCheck {
public:
    NodeCheck(const Network& network, std::size_t index, const std::vector<NodeShape>& shapes, const std::string& file)
        : node_(network.nodes[index]), shapes_(shapes), index_(index), file_(file) {}

    NodeShape run() {
        require(index_ == 0 ? node_.op == Op::input : node_.op != Op::input,
                "the first layer, and only the first, must be the input");
        for (const int input : node_.inputs) {
            require(input >= 0 && static_cast<std::size_t>(input) < index_, "it reads a layer that comes after it");
        }
        switch (node_.op) {
            case Op::input:
                arity(0);
                return {3, {}, false};
            case Op::constant:
                return constant();
            case Op::convolution:
                return convolution();
            case Op::deconvolution:
                return deconvolution();
            case Op::prelu:
                return prelu();
            case Op::leaky_relu:
            case Op::relu:
            case Op::sigmoid:
            case Op::silu:
            case Op::scale_add:
                arity(1);
                return picture(0);
            case Op::add:
            case Op::subtract:
            case Op::multiply:
                return binary();
            case Op::concat:
                return concat();
            case Op::pixel_shuffle:
                return pixel_shuffle();
            case Op::interpolate:
                return interpolate();
            case Op::pad:
                return border(2 * static_cast<std::int64_t>(node_.padding));
            case Op::crop:
                return border(-2 * static_cast<std::int64_t>(node_.padding));
        }
        fail("its kind is not known");
    }

private:
    [[noreturn]] void fail(const std::string& why) const {
        throw Error(ErrorKind::model, {"checking the network", file_ + ", layer " + node_.name, why, {}});
    }
    void require(bool holds, const char* why) const {
        if (!holds) {
            fail(why);
        }
    }
    void arity(std::size_t count) const {
        if (node_.inputs.size() != count) {
            fail("it has " + std::to_string(node_.inputs.size()) + " inputs where " + std::to_string(count) +
                 " are expected");
        }
    }
    const NodeShape& any(std::size_t i) const { return shapes_[static_cast<std::size_t>(node_.inputs[i])]; }
    const NodeShape& picture(std::size_t i) const {
        require(!any(i).constant, "it works on a constant");
        return any(i);
    }

    NodeShape constant() const {
        arity(0);
        require(node_.shape.size() == 3 && node_.shape[1] == 1 && node_.shape[2] == 1,
                "a constant must have the shape [channels,1,1]");
        require(node_.shape[0] >= 1 && node_.shape[0] <= kMaxChannels &&
                    static_cast<std::size_t>(node_.shape[0]) == node_.weights.size(),
                "its values do not fill its shape");
        return {node_.shape[0], {}, true};
    }

    // Weights [out, in/groups, k, k] against the channels that come in. Returns the output channels.
    std::int64_t filter(std::int64_t channels_in) const {
        require(node_.kernel >= 1 && node_.kernel <= kMaxKernel, "its kernel is not 1 to 63 pixels wide");
        require(node_.stride >= 1 && node_.stride <= kMaxStride, "its stride is not 1 to 16");
        require(node_.padding >= 0 && node_.padding <= kMaxPadding, "its padding is not 0 to 512");
        require(node_.shape.size() == 4, "its weights are not four-dimensional");
        const std::int64_t out = node_.shape[0];
        const std::int64_t groups = node_.groups;
        require(out >= 1 && out <= kMaxChannels, "it has no or too many output channels");
        require(groups >= 1 && channels_in % groups == 0 && out % groups == 0, "its groups do not divide its channels");
        if (node_.shape[1] != channels_in / groups) {
            fail("its weights are for " + std::to_string(node_.shape[1]) + " channels a group, but " +
                 std::to_string(channels_in / groups) + " come in");
        }
        require(node_.shape[2] == node_.kernel && node_.shape[3] == node_.kernel,
                "the shape of its weights is not that of its kernel");
        // 2^16 * 2^16 * 2^12 fits 64 bits.
        const std::int64_t count = out * node_.shape[1] * node_.kernel * node_.kernel;
        require(node_.weights.size() == static_cast<std::size_t>(count), "its weights do not fill their shape");
        require(node_.bias.empty() || node_.bias.size() == static_cast<std::size_t>(out),
                "it has not one bias a channel");
        return out;
    }

    // Sizes stay exact because inputs are multiples of the alignment, which makes every ratio come out whole:
    // floor((X + e) / s) = X / s + floor(e / s) where s divides X.
    NodeShape convolution() const {
        arity(1);
        NodeShape shape = picture(0);
        shape.channels = filter(shape.channels);
        const std::int64_t rest = shape.extent.offset + 2 * std::int64_t{node_.padding} - node_.kernel;
        const std::int64_t stride = node_.stride;
        shape.extent.den *= stride;
        shape.extent.offset = (rest >= 0 ? rest / stride : -((-rest + stride - 1) / stride)) + 1;
        return normal(shape);
    }

    NodeShape deconvolution() const {
        arity(1);
        NodeShape shape = picture(0);
        shape.channels = filter(shape.channels);
        shape.extent.num *= node_.stride;
        shape.extent.offset = (shape.extent.offset - 1) * node_.stride - 2 * std::int64_t{node_.padding} + node_.kernel;
        return normal(shape);
    }

    NodeShape prelu() const {
        arity(1);
        const NodeShape& shape = picture(0);
        if (node_.weights.size() != 1 && node_.weights.size() != static_cast<std::size_t>(shape.channels)) {
            fail("it has " + std::to_string(node_.weights.size()) + " slopes for " + std::to_string(shape.channels) +
                 " channels");
        }
        return shape;
    }

    NodeShape binary() const {
        arity(2);
        const NodeShape& a = any(0);
        const NodeShape& b = any(1);
        require(!a.constant || !b.constant, "both its inputs are constants");
        if (a.constant || b.constant) {
            const NodeShape& shape = a.constant ? b : a;
            const std::int64_t values = a.constant ? a.channels : b.channels;
            require(values == 1 || values == shape.channels, "its constant has not one value a channel");
            return shape;
        }
        require(a.channels == b.channels, "its inputs have different channels");
        require(a.extent == b.extent, "its inputs have different sizes");
        return a;
    }

    NodeShape concat() const {
        require(!node_.inputs.empty(), "it has no inputs");
        NodeShape shape = picture(0);
        for (std::size_t i = 1; i < node_.inputs.size(); ++i) {
            require(picture(i).extent == shape.extent, "its inputs have different sizes");
            shape.channels += picture(i).channels;
            require(shape.channels <= kMaxChannels, "it has too many output channels");
        }
        return shape;
    }

    NodeShape pixel_shuffle() const {
        arity(1);
        NodeShape shape = picture(0);
        const std::int64_t factor = node_.factor_num;
        require(factor >= 1 && factor <= kMaxFactor && node_.factor_den == 1, "its factor is not 1 to 16");
        require(shape.channels % (factor * factor) == 0, "its channels are not a multiple of its factor squared");
        shape.channels /= factor * factor;
        shape.extent.num *= factor;
        shape.extent.offset *= factor;
        return normal(shape);
    }

    NodeShape interpolate() const {
        arity(1);
        NodeShape shape = picture(0);
        const std::int64_t num = node_.factor_num;
        const std::int64_t den = node_.factor_den;
        require(num >= 1 && num <= kMaxFactor && den >= 1 && den <= kMaxFactor,
                "its factor is not a fraction of numbers from 1 to 16");
        require(std::gcd(num, den) == 1, "its factor is not a reduced fraction");
        require(shape.extent.offset * num % den == 0, "its output would not have a whole number of pixels");
        shape.extent.num *= num;
        shape.extent.den *= den;
        shape.extent.offset = shape.extent.offset * num / den;
        return normal(shape);
    }

    NodeShape border(std::int64_t grow) const {
        arity(1);
        require(node_.padding >= 0 && node_.padding <= kMaxPadding, "its border is not 0 to 512");
        NodeShape shape = picture(0);
        shape.extent.offset += grow;
        return normal(shape);
    }

    NodeShape normal(NodeShape shape) const {
        Extent& extent = shape.extent;
        const std::int64_t common = std::gcd(extent.num, extent.den);
        extent.num /= common;
        extent.den /= common;
        require(extent.num <= kMaxRatio && extent.den <= kMaxRatio,
                "its size differs from the input's by more than a factor of 64");
        require(extent.offset >= -kMaxOffset && extent.offset <= kMaxOffset, "its border grows without bound");
        return shape;
    }

    const Node& node_;
    const std::vector<NodeShape>& shapes_;
    std::size_t index_;
    const std::string& file_;
};

}   // namespace

double NodeShape::floats_per_pixel() const {
    if (constant) {
        return 0;
    }
    const double ratio = static_cast<double>(extent.num) / static_cast<double>(extent.den);
    return static_cast<double>(channels) * ratio * ratio;
}

std::vector<NodeShape> node_shapes(const Network& network, const std::string& file) {
    if (network.nodes.empty() || network.output < 0 ||
        static_cast<std::size_t>(network.output) >= network.nodes.size()) {
        throw Error(ErrorKind::model, {"checking the network", file, "it has no layers or no output", {}});
    }
    std::vector<NodeShape> shapes;
    shapes.reserve(network.nodes.size());
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        shapes.push_back(NodeCheck(network, i, shapes, file).run());
    }
    return shapes;
}

}   // namespace millstream
