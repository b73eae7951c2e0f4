#include "model/openvino_graph.h"

#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/depth_to_space.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reduce_min.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/swish.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "model/precision.h"
#include "model/quantise.h"

// Exported by libopenvino.so, declared only in its developer package (transformations/rt_info/
// disable_precision_conversion.hpp): the node keeps fp32 where the plugin would convert it to fp16 or bf16.
namespace ov {
OPENVINO_API void disable_conversion(const std::shared_ptr<Node>& node, const element::Type& to);
}

namespace millstream {
namespace {

namespace op = ov::op;
using NodePtr = std::shared_ptr<ov::Node>;

NodePtr constant(const std::vector<float>& values, const ov::Shape& shape) {
    return std::make_shared<op::v0::Constant>(
        ov::Tensor(ov::element::f32, shape, const_cast<float*>(values.data())));   // shared, not copied
}

NodePtr scalar(float value) {
    return op::v0::Constant::create(ov::element::f32, {}, {value});
}

NodePtr integers(const std::vector<std::int64_t>& values) {
    return op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}

std::size_t size(std::int64_t value) {
    return static_cast<std::size_t>(value);
}

class Builder {
public:
    Builder(const Network& network, const ov::PartialShape& input, const FusedEnd* end) : network_(network) {
        const std::vector<bool> fp32 = layers_in_fp32(network);
        for (std::size_t i = 0; i < network.nodes.size(); ++i) {
            fp32_ = fp32[i];
            const Node& node = network.nodes[i];
            if (node.op == Op::input) {
                parameter_ = std::make_shared<op::v0::Parameter>(ov::element::f32, input);
                built_.push_back(parameter_);
            } else {
                built_.push_back(build(node));
                built_.back()->set_friendly_name(std::to_string(i) + " " + node.name);
            }
        }
        if (end != nullptr) {
            built_[size(network.output)] = fused(*end);
        }
    }

    std::shared_ptr<ov::Model> model(std::span<const int> watched) const {
        ov::ResultVector results{std::make_shared<op::v0::Result>(built_[size(network_.output)])};
        const NodePtr places = integers({0, 2, 3});
        for (const int index : watched) {
            const NodePtr values = in(network_.nodes[size(index)], 0);
            results.push_back(std::make_shared<op::v0::Result>(std::make_shared<op::v1::ReduceMin>(values, places)));
            results.push_back(std::make_shared<op::v0::Result>(std::make_shared<op::v1::ReduceMax>(values, places)));
            results.push_back(std::make_shared<op::v0::Result>(std::make_shared<op::v1::ReduceMean>(values, places)));
        }
        return std::make_shared<ov::Model>(results, ov::ParameterVector{parameter_}, network_.name);
    }

private:
    template <class Kind, class... Arguments>
    NodePtr make(Arguments&&... arguments) const {
        NodePtr node = std::make_shared<Kind>(std::forward<Arguments>(arguments)...);
        if (fp32_) {
            ov::disable_conversion(node, ov::element::f16);   // the plugin asks for f16 when it means any
            ov::disable_conversion(node, ov::element::bf16);
        }
        return node;
    }
    NodePtr in(const Node& node, std::size_t i) const { return built_[size(node.inputs[i])]; }

    // Note [Fused end]
    NodePtr fused(const FusedEnd& end) {
        const NodePtr features = built_[size(end.features)];
        const NodePtr picture = built_[size(end.picture)];
        const NodePtr sum =
            std::make_shared<op::v1::Add>(convolution(end.of_features, features), convolution(end.of_picture, picture));
        const NodePtr inner = shuffled(sum, end.factor);
        const auto edge = [&](std::int64_t axis, std::int64_t begin, std::int64_t stop) {
            return layer_by_layer(end, slice(features, axis, begin, stop), slice(picture, axis, begin, stop));
        };
        constexpr std::int64_t kRows = 2;
        constexpr std::int64_t kColumns = 3;
        constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
        const std::int64_t width = end.factor;   // of what is taken of an edge
        const NodePtr left = slice(edge(kColumns, 0, end.strip), kColumns, 0, width);
        const NodePtr right = slice(edge(kColumns, -end.strip, kEnd), kColumns, -width, kEnd);
        const NodePtr rows = std::make_shared<op::v0::Concat>(
            ov::OutputVector{slice(left, kRows, width, -width), inner, slice(right, kRows, width, -width)}, kColumns);
        return std::make_shared<op::v0::Concat>(
            ov::OutputVector{slice(edge(kRows, 0, end.strip), kRows, 0, width), rows,
                             slice(edge(kRows, -end.strip, kEnd), kRows, -width, kEnd)},
            kRows);
    }
    // What the fused end replaces, of a part of the picture.
    NodePtr layer_by_layer(const FusedEnd& end, const NodePtr& features, const NodePtr& picture) {
        std::vector<NodePtr> whole = built_;
        built_[size(end.features)] = features;
        built_[size(end.picture)] = picture;
        for (const int layer : end.replaced) {
            built_[size(layer)] = build(network_.nodes[size(layer)]);
        }
        std::swap(built_, whole);
        return whole[size(network_.output)];
    }
    static NodePtr slice(const NodePtr& values, std::int64_t axis, std::int64_t begin, std::int64_t stop) {
        return std::make_shared<op::v8::Slice>(values, integers({begin}), integers({stop}), integers({1}),
                                               integers({axis}));
    }

    NodePtr shuffled(const NodePtr& values, int factor) const {
        return make<op::v0::DepthToSpace>(values, op::v0::DepthToSpace::DepthToSpaceMode::DEPTH_FIRST, size(factor));
    }

    NodePtr with_bias(const Node& node, NodePtr x) const {
        if (node.bias.empty()) {
            return x;
        }
        return make<op::v1::Add>(x, constant(node.bias, {1, node.bias.size(), 1, 1}));
    }

    // The plugin runs what stands between quantised inputs and weights in integers.
    NodePtr quantised(const NodePtr& values, const Node::Steps& steps) const {
        const NodePtr low = scalar(steps.low);
        const NodePtr high = scalar(steps.high);
        return make<op::v0::FakeQuantize>(values, low, high, low, high, 256);
    }
    NodePtr quantised_weights(const Node& node, const NodePtr& weights) const {
        std::vector<float> most = weight_limits(node);
        const ov::Shape each{most.size(), 1, 1, 1};
        const NodePtr high = op::v0::Constant::create(ov::element::f32, each, most);
        std::transform(most.begin(), most.end(), most.begin(), std::negate<>());
        const NodePtr low = op::v0::Constant::create(ov::element::f32, each, most);
        return make<op::v0::FakeQuantize>(weights, low, high, low, high, 255);
    }

    NodePtr convolution(const Node& node, const NodePtr& values) const {
        const ov::Strides strides(2, size(node.stride));
        const ov::CoordinateDiff padding(2, node.padding);
        const ov::Strides dilations(2, 1);
        const std::size_t k = size(node.kernel);
        const std::size_t groups = size(node.groups);
        if (groups == 1) {
            const NodePtr weights = constant(node.weights, {size(node.shape[0]), size(node.shape[1]), k, k});
            return with_bias(node, make<op::v1::Convolution>(node.int8 ? quantised(values, *node.int8) : values,
                                                             node.int8 ? quantised_weights(node, weights) : weights,
                                                             strides, padding, padding, dilations));
        }
        const auto weights = constant(node.weights, {groups, size(node.shape[0]) / groups, size(node.shape[1]), k, k});
        return with_bias(node, make<op::v1::GroupConvolution>(values, weights, strides, padding, padding, dilations));
    }

    // Ours is [out,in/groups,k,k], OpenVINO's [groups,in/groups,out/groups,k,k]: the one weight that must be copied.
    NodePtr deconvolution(const Node& node) const {
        const std::size_t k = size(node.kernel);
        const std::size_t groups = size(node.groups);
        const std::size_t out = size(node.shape[0]) / groups;
        const std::size_t inputs = size(node.shape[1]);
        std::vector<float> weights(node.weights.size());
        for (std::size_t g = 0; g < groups; ++g) {
            for (std::size_t o = 0; o < out; ++o) {
                for (std::size_t i = 0; i < inputs; ++i) {
                    for (std::size_t at = 0; at < k * k; ++at) {
                        weights[((g * inputs + i) * out + o) * k * k + at] =
                            node.weights[((g * out + o) * inputs + i) * k * k + at];
                    }
                }
            }
        }
        const ov::Strides strides(2, size(node.stride));
        const ov::CoordinateDiff padding(2, node.padding);
        const ov::Strides dilations(2, 1);
        if (groups == 1) {
            const auto copied = op::v0::Constant::create(ov::element::f32, {inputs, out, k, k}, weights);
            return with_bias(
                node, make<op::v1::ConvolutionBackpropData>(in(node, 0), copied, strides, padding, padding, dilations));
        }
        const auto copied = op::v0::Constant::create(ov::element::f32, {groups, inputs, out, k, k}, weights);
        return with_bias(node, make<op::v1::GroupConvolutionBackpropData>(in(node, 0), copied, strides, padding,
                                                                          padding, dilations));
    }

    NodePtr repeat(const Node& node) const {
        using Interpolate = op::v4::Interpolate;
        Interpolate::InterpolateAttrs how;
        how.mode = Interpolate::InterpolateMode::NEAREST;
        how.shape_calculation_mode = Interpolate::ShapeCalcMode::SCALES;
        how.coordinate_transformation_mode = Interpolate::CoordinateTransformMode::ASYMMETRIC;
        how.nearest_mode = Interpolate::NearestMode::FLOOR;
        how.pads_begin = how.pads_end = {0, 0, 0, 0};
        const auto factor = static_cast<float>(node.factor_num);
        const auto scales = op::v0::Constant::create(ov::element::f32, {2}, {factor, factor});
        const auto unused_sizes = integers({1, 1});   // scales decide
        return make<Interpolate>(in(node, 0), unused_sizes, scales, integers({2, 3}), how);
    }

    NodePtr build(const Node& node) const {
        switch (node.op) {
            case Op::input:
                break;
            case Op::constant:
                return constant(node.weights, {1, size(node.shape[0]), 1, 1});
            case Op::convolution:
                return convolution(node, in(node, 0));
            case Op::deconvolution:
                return deconvolution(node);
            case Op::prelu:
                return make<op::v0::PRelu>(in(node, 0), constant(node.weights, {node.weights.size()}));
            case Op::leaky_relu:
                return make<op::v0::PRelu>(in(node, 0), op::v0::Constant::create(ov::element::f32, {1}, {node.alpha}));
            case Op::relu:
                return make<op::v0::Relu>(in(node, 0));
            case Op::sigmoid:
                return make<op::v0::Sigmoid>(in(node, 0));
            case Op::silu:
                return make<op::v4::Swish>(in(node, 0));
            case Op::add:
                return make<op::v1::Add>(in(node, 0), in(node, 1));
            case Op::subtract:
                return make<op::v1::Subtract>(in(node, 0), in(node, 1));
            case Op::multiply:
                return make<op::v1::Multiply>(in(node, 0), in(node, 1));
            case Op::scale_add: {
                const NodePtr scaled =
                    node.alpha == 1 ? in(node, 0) : make<op::v1::Multiply>(in(node, 0), scalar(node.alpha));
                return make<op::v1::Add>(scaled, scalar(node.beta));
            }
            case Op::concat: {
                ov::OutputVector parts;
                for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                    parts.push_back(in(node, i));
                }
                return make<op::v0::Concat>(parts, 1);
            }
            case Op::pixel_shuffle:
                return shuffled(in(node, 0), node.factor_num);
            case Op::interpolate:
                return repeat(node);
            case Op::pad: {
                const std::int64_t p = node.padding;
                return make<op::v1::Pad>(in(node, 0), integers({0, 0, p, p}), integers({0, 0, p, p}),
                                         op::PadMode::EDGE);
            }
            case Op::crop: {
                const std::int64_t p = node.padding;
                return make<op::v8::Slice>(in(node, 0), integers({p, p}), integers({-p, -p}), integers({1, 1}),
                                           integers({2, 3}));
            }
        }
        return {};
    }

    const Network& network_;
    std::shared_ptr<op::v0::Parameter> parameter_;
    std::vector<NodePtr> built_;
    bool fp32_ = false;
};

}   // namespace

std::shared_ptr<ov::Model> openvino_graph(const Network& lowered, const ov::PartialShape& input,
                                          std::span<const int> watched, const FusedEnd* end) {
    return Builder(lowered, input, end).model(watched);
}

}   // namespace millstream
