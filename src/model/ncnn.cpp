#include "model/ncnn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "millstream/error.h"
#include "model/files.h"
#include "model/ncnn_layer.h"
#include "model/ncnn_param.h"
#include "model/ncnn_weights.h"

// Meaning of the layer parameters: ncnn docs/developer-guide/operators.md.

namespace millstream {
namespace {

constexpr std::int64_t kMost = 1 << 24;   // of any single whole parameter; analyse() has tighter bounds where needed
constexpr std::size_t kMostNodes = 1 << 14;

class Importer {
public:
    Importer(std::span<const std::byte> bin, const std::string& param_file, const std::string& bin_file)
        : weights_(bin), param_file_(param_file), bin_file_(bin_file) {}

    Network run(const std::vector<NcnnLayer>& layers) {
        for (const NcnnLayer& layer : layers) {
            try {
                import(layer);
            } catch (const std::runtime_error& error) {
                throw Error(ErrorKind::model, {"reading the network",
                                               param_file_ + " and " + bin_file_ + ", layer " + in_quotes(layer.name) +
                                                   " of type " + in_quotes(layer.type),
                                               error.what(),
                                               {}});
            }
        }
        if (weights_.left() != 0) {
            throw Error(ErrorKind::model,
                        {"reading the network", bin_file_,
                         std::to_string(weights_.left()) + " bytes are left after the weights of the last layer",
                         "The two files do not belong together"});
        }
        network_.output = output();
        return std::move(network_);
    }

private:
    using Handler = void (Importer::*)(const NcnnLayer&, NcnnParameters&);

    void import(const NcnnLayer& layer) {
        static const std::map<std::string, Handler> handlers{
            {"Input", &Importer::input},
            {"Split", &Importer::split},
            {"Noop", &Importer::split},
            {"MemoryData", &Importer::memory_data},
            {"Convolution", &Importer::convolution},
            {"ConvolutionDepthWise", &Importer::convolution},
            {"Deconvolution", &Importer::convolution},
            {"DeconvolutionDepthWise", &Importer::convolution},
            {"PReLU", &Importer::prelu},
            {"ReLU", &Importer::relu},
            {"Sigmoid", &Importer::sigmoid},
            {"Swish", &Importer::swish},
            {"BinaryOp", &Importer::binary},
            {"Eltwise", &Importer::eltwise},
            {"Concat", &Importer::concat},
            {"PixelShuffle", &Importer::pixel_shuffle},
            {"Interp", &Importer::interp},
            {"Padding", &Importer::padding},
            {"Crop", &Importer::crop},
        };
        const auto handler = handlers.find(layer.type);
        if (handler == handlers.end()) {
            throw std::runtime_error("layers of this type are not supported");
        }
        NcnnParameters parameters(layer.values);
        (this->*handler->second)(layer, parameters);
        parameters.finish();
    }

    // Blobs and nodes

    void define(const std::string& blob, int node) {
        if (!blobs_.emplace(blob, node).second) {
            throw std::runtime_error("two layers write the blob " + in_quotes(blob));
        }
    }
    int blob(const std::string& name) {
        const auto found = blobs_.find(name);
        if (found == blobs_.end()) {
            throw std::runtime_error("no earlier layer writes the blob " + in_quotes(name));
        }
        read_.insert_or_assign(name, true);
        return found->second;
    }
    void arity(const NcnnLayer& layer, std::size_t inputs) const {
        if (layer.inputs.size() != inputs || layer.outputs.size() != 1) {
            throw std::runtime_error("it has " + std::to_string(layer.inputs.size()) + " inputs and " +
                                     std::to_string(layer.outputs.size()) + " outputs where " + std::to_string(inputs) +
                                     " and 1 are expected");
        }
    }
    int append(const NcnnLayer& layer, Op op, std::vector<int> inputs) {
        if (network_.nodes.size() >= kMostNodes) {
            throw std::runtime_error("the network has more than " + std::to_string(kMostNodes) + " layers");
        }
        Node& node = network_.nodes.emplace_back();
        node.op = op;
        node.name = layer.name;
        node.inputs = std::move(inputs);
        return static_cast<int>(network_.nodes.size()) - 1;
    }
    Node& node(int index) { return network_.nodes[static_cast<std::size_t>(index)]; }
    void unary(const NcnnLayer& layer, Op op) {
        arity(layer, 1);
        define(layer.outputs[0], append(layer, op, {blob(layer.inputs[0])}));
    }

    // The output: the blob called so, else the only one that no layer reads.
    int output() const {
        if (const auto found = blobs_.find("output"); found != blobs_.end()) {
            return found->second;
        }
        std::vector<std::pair<std::string, int>> unread;
        for (const auto& [name, node] : blobs_) {
            if (!read_.contains(name)) {
                unread.emplace_back(name, node);
            }
        }
        if (unread.size() != 1) {
            throw Error(ErrorKind::model, {"reading the network",
                                           param_file_,
                                           "no blob is called output, and " + std::to_string(unread.size()) +
                                               " blobs are read by no layer: which one is the result is not clear",
                                           {}});
        }
        return unread[0].second;
    }

    // Layers

    void input(const NcnnLayer& layer, NcnnParameters& parameters) {
        arity(layer, 0);
        for (const int size : {0, 1, 2, 11}) {   // a size given here is a default that callers override
            parameters.whole(size, 0, 0, kMost);
        }
        if (!network_.nodes.empty()) {
            throw std::runtime_error("it is not the first layer: networks with one picture as input are supported");
        }
        define(layer.outputs[0], append(layer, Op::input, {}));
    }

    void split(const NcnnLayer& layer, NcnnParameters&) {
        if (layer.inputs.size() != 1) {
            throw std::runtime_error("it has not one input");
        }
        const int source = blob(layer.inputs[0]);
        for (const std::string& name : layer.outputs) {
            define(name, source);
        }
    }

    void memory_data(const NcnnLayer& layer, NcnnParameters& parameters) {
        arity(layer, 0);
        const std::int64_t width = parameters.whole(0, 0, 0, kMost);
        const std::int64_t height = parameters.whole(1, 0, 0, kMost);
        const std::int64_t channels = parameters.whole(2, 0, 0, kMost);
        parameters.expect(11, 0, "depth");
        parameters.expect(21, 1, "how it is stored");
        // [c,1,1], or a single value; a picture-sized constant would fix the picture's size.
        if (width > 1 || height > 1 || width == 0) {
            throw std::runtime_error("a constant must be one value a channel");
        }
        if (network_.nodes.empty()) {
            throw std::runtime_error("it comes before the input");
        }
        const std::int64_t values = std::max<std::int64_t>(channels, 1);
        std::vector<float> data = weights_.plain(static_cast<std::uint64_t>(values));
        const int index = append(layer, Op::constant, {});
        node(index).shape = {values, 1, 1};
        node(index).weights = std::move(data);
        define(layer.outputs[0], index);
    }

    // Convolution and Deconvolution, plain and depthwise, share their parameters.
    void convolution(const NcnnLayer& layer, NcnnParameters& parameters) {
        arity(layer, 1);
        const int source = blob(layer.inputs[0]);
        const bool transposed = layer.type.starts_with("Deconvolution");
        const std::int64_t out = parameters.whole(0, 0, 1, kMost);
        const std::int64_t kernel = square(parameters, 1, 11, 0, 1);
        const std::int64_t stride = square(parameters, 3, 13, 1, 1);
        if (square(parameters, 2, 12, 1, 1) != 1) {
            throw std::runtime_error("dilated kernels are not supported");
        }
        const std::int64_t padding = conv_padding(parameters, kernel, stride);
        if (transposed) {
            parameters.expect(18, 0, "output padding");
            parameters.expect(19, 0, "output padding");
        } else {
            parameters.expect(18, 0, "padding value");
            parameters.expect(19, 0, "weights computed by the network");
        }
        parameters.expect(8, 0, "int8 weights");
        const bool depthwise = layer.type.ends_with("DepthWise");
        const std::int64_t groups = depthwise ? parameters.whole(7, 1, 1, kMost) : 1;
        const bool bias = parameters.whole(5, 0, 0, 1) != 0;
        const std::int64_t count = parameters.whole(6, 0, 1, std::int64_t{1} << 40);
        // kernel and out are below 2^24; dividing one after the other cannot overflow.
        const std::int64_t per_channel = count / out;
        const std::int64_t inputs = per_channel / kernel / kernel;
        if (count % out != 0 || per_channel % kernel != 0 || per_channel / kernel % kernel != 0 || inputs == 0) {
            throw std::runtime_error("its " + std::to_string(count) + " weights are not a multiple of " +
                                     std::to_string(out) + " outputs times the kernel's " + std::to_string(kernel) +
                                     "x" + std::to_string(kernel) + " pixels");
        }
        std::vector<float> weights = weights_.tagged(static_cast<std::uint64_t>(count));
        std::vector<float> biases;
        if (bias) {
            biases = weights_.plain(static_cast<std::uint64_t>(out));
        }
        const int index = append(layer, transposed ? Op::deconvolution : Op::convolution, {source});
        Node& conv = node(index);
        conv.kernel = static_cast<int>(kernel);
        conv.stride = static_cast<int>(stride);
        conv.padding = static_cast<int>(padding);
        conv.groups = static_cast<int>(groups);
        conv.shape = {out, inputs, kernel, kernel};
        conv.weights = std::move(weights);
        conv.bias = std::move(biases);
        define(layer.outputs[0], activation(layer, parameters, index));
    }

    static std::int64_t square(NcnnParameters& parameters, int width, int height, std::int64_t otherwise,
                               std::int64_t least) {
        const std::int64_t value = parameters.whole(width, otherwise, least, kMost);
        if (parameters.whole(height, value, least, kMost) != value) {
            throw std::runtime_error("it treats width and height differently");
        }
        return value;
    }

    static std::int64_t conv_padding(NcnnParameters& parameters, std::int64_t kernel, std::int64_t stride) {
        constexpr std::int64_t same_upper = -233;   // as much as keeps the size
        constexpr std::int64_t same_lower = -234;
        const std::int64_t left = parameters.whole(4, 0, same_lower, kMost);
        for (const int side : {15, 14, 16}) {   // right, top, bottom
            if (parameters.whole(side, left, same_lower, kMost) != left) {
                throw std::runtime_error("its padding differs from side to side");
            }
        }
        if (left == same_upper || left == same_lower) {
            if (kernel % 2 == 0 || stride != 1) {
                throw std::runtime_error("its padding would differ from side to side");
            }
            return (kernel - 1) / 2;
        }
        if (left < 0) {
            throw std::runtime_error("its padding is negative");
        }
        return left;
    }

    int activation(const NcnnLayer& layer, NcnnParameters& parameters, int source) {
        const std::int64_t type = parameters.whole(9, 0, 0, kMost);
        const std::vector<double> values = parameters.list(10);
        switch (type) {
            case 0:
                return source;
            case 1:
                return append(layer, Op::relu, {source});
            case 2: {
                if (values.size() != 1) {
                    throw std::runtime_error("its leaky ReLU has not one slope");
                }
                const int index = append(layer, Op::leaky_relu, {source});
                scaled(node(index), values[0], 0);
                return index;
            }
            case 4:
                return append(layer, Op::sigmoid, {source});
            default:
                throw std::runtime_error("activation " + std::to_string(type) + " is not supported");
        }
    }

    void prelu(const NcnnLayer& layer, NcnnParameters& parameters) {
        const std::int64_t count = parameters.whole(0, 0, 1, kMost);
        unary(layer, Op::prelu);
        network_.nodes.back().weights = weights_.plain(static_cast<std::uint64_t>(count));
    }
    void relu(const NcnnLayer& layer, NcnnParameters& parameters) {
        const double slope = parameters.number(0, 0);
        unary(layer, slope == 0 ? Op::relu : Op::leaky_relu);
        scaled(network_.nodes.back(), slope, 0);
    }
    void sigmoid(const NcnnLayer& layer, NcnnParameters&) { unary(layer, Op::sigmoid); }
    void swish(const NcnnLayer& layer, NcnnParameters&) { unary(layer, Op::silu); }

    void binary(const NcnnLayer& layer, NcnnParameters& parameters) {
        enum Kind : std::int64_t { add, subtract, multiply, divide, reverse_subtract = 7 };
        const std::int64_t kind = parameters.whole(0, 0, 0, kMost);
        const bool scalar = parameters.whole(1, 0, 0, 1) != 0;
        const double value = parameters.number(2, 0);
        if (!scalar) {
            arity(layer, 2);
            std::vector<int> inputs{blob(layer.inputs[0]), blob(layer.inputs[1])};
            if (kind == reverse_subtract) {
                std::swap(inputs[0], inputs[1]);
            } else if (kind != add && kind != subtract && kind != multiply) {
                throw std::runtime_error("operation " + std::to_string(kind) + " is not supported");
            }
            const Op op = kind == add ? Op::add : kind == multiply ? Op::multiply : Op::subtract;
            define(layer.outputs[0], append(layer, op, std::move(inputs)));
            return;
        }
        double scale = 1;
        double offset = 0;
        switch (kind) {
            case add:
                offset = value;
                break;
            case subtract:
                offset = -value;
                break;
            case multiply:
                scale = value;
                break;
            case divide:
                if (value == 0) {
                    throw std::runtime_error("it divides by zero");
                }
                scale = 1 / value;
                break;
            case reverse_subtract:
                scale = -1;
                offset = value;
                break;
            default:
                throw std::runtime_error("operation " + std::to_string(kind) + " is not supported");
        }
        unary(layer, Op::scale_add);
        scaled(network_.nodes.back(), scale, offset);
    }

    static void scaled(Node& node, double scale, double offset) {
        constexpr double largest = 1e30;
        if (std::abs(scale) > largest || std::abs(offset) > largest) {
            throw std::runtime_error("its number is too large");
        }
        node.alpha = static_cast<float>(scale);
        node.beta = static_cast<float>(offset);
    }

    // A weighted sum, or a product.
    void eltwise(const NcnnLayer& layer, NcnnParameters& parameters) {
        enum Kind : std::int64_t { product, sum };
        const std::int64_t kind = parameters.whole(0, 0, 0, kMost);
        const std::vector<double> factors = parameters.list(1);
        if (kind != product && kind != sum) {
            throw std::runtime_error("operation " + std::to_string(kind) + " is not supported");
        }
        if (layer.inputs.size() < 2) {
            throw std::runtime_error("it has fewer than two inputs");
        }
        arity(layer, layer.inputs.size());
        if (!factors.empty() && (kind != sum || factors.size() != layer.inputs.size())) {
            throw std::runtime_error("it has not one factor an input");
        }
        int result = -1;
        for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
            int term = blob(layer.inputs[i]);
            if (!factors.empty() && factors[i] != 1) {
                term = append(layer, Op::scale_add, {term});
                scaled(network_.nodes.back(), factors[i], 0);
            }
            result = i == 0 ? term : append(layer, kind == sum ? Op::add : Op::multiply, {result, term});
        }
        define(layer.outputs[0], result);
    }

    void concat(const NcnnLayer& layer, NcnnParameters& parameters) {
        parameters.expect(0, 0, "axis");
        arity(layer, layer.inputs.size());
        std::vector<int> inputs;
        for (const std::string& name : layer.inputs) {
            inputs.push_back(blob(name));
        }
        define(layer.outputs[0], append(layer, Op::concat, std::move(inputs)));
    }

    void pixel_shuffle(const NcnnLayer& layer, NcnnParameters& parameters) {
        const std::int64_t factor = parameters.whole(0, 1, 1, kMost);
        parameters.expect(1, 0, "channel order");
        unary(layer, Op::pixel_shuffle);
        network_.nodes.back().factor_num = static_cast<int>(factor);
    }

    void interp(const NcnnLayer& layer, NcnnParameters& parameters) {
        const std::int64_t type = parameters.whole(0, 0, 1, 3);
        const double height = parameters.number(1, 1);
        const double width = parameters.number(2, 1);
        for (const int fixed : {3, 4, 5, 6}) {
            parameters.expect(fixed, 0, "a size that does not follow from the input's, or aligned corners");
        }
        if (height != width) {
            throw std::runtime_error("it treats width and height differently");
        }
        constexpr std::array modes{InterpolateMode::nearest, InterpolateMode::bilinear, InterpolateMode::bicubic};
        unary(layer, Op::interpolate);
        Node& result = network_.nodes.back();
        result.mode = modes[static_cast<std::size_t>(type - 1)];
        constexpr int largest = 16;
        for (int den = 1; den <= largest; ++den) {
            const double num = std::round(height * den);
            if (num >= 1 && num <= largest && std::abs(height * den - num) < 1e-5) {
                result.factor_num = static_cast<int>(num);
                result.factor_den = den;
                return;
            }
        }
        throw std::runtime_error("its factor " + std::to_string(height) + " is not a fraction of numbers from 1 to 16");
    }

    void padding(const NcnnLayer& layer, NcnnParameters& parameters) {
        constexpr double replicate = 1;
        const std::int64_t top = parameters.whole(0, 0, 0, kMost);
        for (const int side : {1, 2, 3}) {
            if (parameters.whole(side, 0, 0, kMost) != top) {
                throw std::runtime_error("it differs from side to side");
            }
        }
        if (parameters.number(4, 0) != replicate) {
            throw std::runtime_error("only padding with the edge's own pixels is supported");
        }
        unary(layer, Op::pad);
        network_.nodes.back().padding = static_cast<int>(top);
    }

    // Either border widths (0, 1 and 6, 7), or lists of starts, ends and axes (9, 10, 11).
    void crop(const NcnnLayer& layer, NcnnParameters& parameters) {
        const std::vector<double> starts = parameters.list(9);
        const std::vector<double> ends = parameters.list(10);
        const std::vector<double> axes = parameters.list(11);
        std::int64_t border = 0;
        if (starts.empty()) {
            border = parameters.whole(0, 0, 0, kMost);
            for (const int side : {1, 6, 7}) {
                if (parameters.whole(side, 0, 0, kMost) != border) {
                    throw std::runtime_error("it differs from side to side");
                }
            }
        } else {
            const bool both = axes == std::vector<double>{1, 2} || axes == std::vector<double>{2, 1};
            if (!both || starts.size() != 2 || ends.size() != 2 || starts[0] != starts[1] || ends[0] != ends[1] ||
                ends[0] != -starts[0] || starts[0] < 1 || starts[0] > 512 || starts[0] != std::floor(starts[0])) {
                throw std::runtime_error("only the same border off every side is supported");
            }
            border = static_cast<std::int64_t>(starts[0]);
        }
        unary(layer, Op::crop);
        network_.nodes.back().padding = static_cast<int>(border);
    }

    NcnnWeights weights_;
    const std::string& param_file_;
    const std::string& bin_file_;
    Network network_;
    std::map<std::string, int> blobs_;
    std::map<std::string, bool> read_;
};

}   // namespace

Network parse_ncnn(std::string_view param, std::span<const std::byte> bin, const std::string& param_file,
                   const std::string& bin_file) {
    Network network = Importer(bin, param_file, bin_file).run(parse_ncnn_param(param, param_file));
    network.name = std::filesystem::path(param_file).stem().string();
    analyse(network, param_file);
    return network;
}

Network import_ncnn(const std::filesystem::path& param, const std::filesystem::path& bin) {
    const NcnnFiles files = read_ncnn(param, bin);
    return parse_ncnn({files.param.data(), files.param.size()}, std::as_bytes(std::span(files.bin)), param.string(),
                      bin.string());
}

}   // namespace millstream
