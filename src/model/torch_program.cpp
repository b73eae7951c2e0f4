#include "model/torch_program.h"

#include <ATen/ops/_prelu_kernel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/mkldnn_convolution.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sub.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <array>
#include <utility>

#include "base/cpu.h"
#include "model/analyse.h"
#include "model/precision.h"
#include "model/torch_blocks.h"

// Note [bf16 in software]
// On a CPU without bf16 arithmetic Torch's bf16 convolutions take a path ten times slower than fp32. The hardware
// multiplies bf16 values exactly and adds them up in fp32, so an fp32 convolution of values that were rounded to bf16,
// rounded again at the end, gives the same up to the order of the sum. That is done instead: for tests, and for trying
// out what bf16 would look like. It gains no speed.

namespace millstream {
namespace {

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape, at::Device device, at::ScalarType type) {
    // from_blob wants a mutable pointer; the copy that to() makes is what is kept.
    return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).to(device, type, false, true);
}

std::int64_t count(const std::vector<float>& values) {
    return static_cast<std::int64_t>(values.size());
}

std::array<std::int64_t, 2> both(int value) {
    return {value, value};
}

// Ours is [out,in/groups,k,k], Torch's for transposed convolutions [in,out/groups,k,k].
at::Tensor transposed(const Node& node, const at::Tensor& weight) {
    const std::int64_t out = node.shape[0] / node.groups;
    const std::int64_t in = node.shape[1];
    return weight.reshape({node.groups, out, in, node.kernel, node.kernel})
        .transpose(1, 2)
        .reshape({node.groups * in, out, node.kernel, node.kernel});
}

}   // namespace

TorchProgram::TorchProgram(const Network& lowered, at::Device device, at::ScalarType type)
    : device_(device), output_(static_cast<std::size_t>(lowered.output)) {
    const std::vector<bool> fp32 = layers_in_fp32(lowered);
    const std::vector<int> last = last_readers(lowered);
    for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
        const Node& node = lowered.nodes[i];
        steps_.push_back(prepare(node, fp32[i] ? at::kFloat : type));
        for (const int input : node.inputs) {
            if (last[static_cast<std::size_t>(input)] == static_cast<int>(i)) {
                steps_.back().releases.push_back(static_cast<std::size_t>(input));
            }
        }
    }
}

TorchProgram::Step TorchProgram::prepare(const Node& node, at::ScalarType type) const {
    Step step;
    step.type = type;
    step.emulated = type == at::kBFloat16 && device_.is_cpu() && !cpu_has_bf16() && is_convolution(node);
    if (is_convolution(node)) {
        at::Tensor weight = tensor_of(node.weights, node.shape, device_, type);
        if (node.op == Op::deconvolution) {
            weight = transposed(node, weight);
        }
        const at::ScalarType kept = step.emulated ? at::kFloat : type;
        step.weight = weight.to(kept).contiguous(at::MemoryFormat::ChannelsLast);
        if (!node.bias.empty()) {
            step.bias = tensor_of(node.bias, {count(node.bias)}, device_, kept);
        }
    } else if (!node.weights.empty()) {   // slopes, constants: one value a channel
        step.weight = tensor_of(node.weights, {1, count(node.weights), 1, 1}, device_, type);
    }
    step.node = node;
    step.node.weights = {};
    step.node.bias = {};
    return step;
}

void TorchProgram::run(const at::Tensor& input, at::Tensor& output) const {
    std::vector<at::Tensor> results(steps_.size());
    results[0] = input;
    for (std::size_t i = 1; i <= output_; ++i) {
        results[i] = compute(steps_[i], results);
        for (const std::size_t done : steps_[i].releases) {
            results[done].reset();
        }
    }
    output.copy_(results[output_]);
}

at::Tensor TorchProgram::convolution(const Step& step, const at::Tensor& input) const {
    const Node& node = step.node;
    const at::Tensor x = input.to(step.weight.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const auto padding = both(node.padding);
    const auto stride = both(node.stride);
    const auto dilation = both(1);
    if (node.op == Op::deconvolution) {
        return at::conv_transpose2d(x, step.weight, step.bias, stride, padding, both(0), node.groups);
    }
    if (device_.is_cpu() && x.scalar_type() == at::kFloat) {
        // conv2d() takes other code for small pictures, and a tile would differ from the whole frame.
        return at::mkldnn_convolution(x, step.weight, step.bias, padding, stride, dilation, node.groups);
    }
    return at::conv2d(x, step.weight, step.bias, stride, padding, dilation, node.groups);
}

at::Tensor TorchProgram::compute(const Step& step, std::vector<at::Tensor>& results) const {
    const Node& node = step.node;
    const auto in = [&](std::size_t i) { return results[static_cast<std::size_t>(node.inputs[i])].to(step.type); };
    // Whether nobody else reads the input, so that an activation may write where it lies. The caller holds the picture,
    // and a crop shares its memory with what it was cut from.
    const auto in_place = [&] {
        const at::Tensor& x = results[static_cast<std::size_t>(node.inputs[0])];
        return step.releases.size() == 1 && x.use_count() == 1 && x.storage().use_count() == 1 &&
               x.scalar_type() == step.type;
    };
    switch (node.op) {
        case Op::input:
            return results[0];
        case Op::constant:
            return step.weight;
        case Op::convolution:
        case Op::deconvolution:
            return convolution(step, in(0)).to(step.type);
        case Op::prelu:
            return at::_prelu_kernel(in(0), step.weight);
        case Op::leaky_relu:
            if (in_place()) {
                at::Tensor x = in(0);
                return at::leaky_relu_(x, node.alpha);
            }
            return at::leaky_relu(in(0), node.alpha);
        case Op::relu:
            return in_place() ? in(0).relu_() : at::relu(in(0));
        case Op::sigmoid: {
            const bool over = in_place();   // asked before in() makes another reference
            if (!device_.is_cpu()) {
                return over ? in(0).sigmoid_() : at::sigmoid(in(0));
            }
            return in_blocks(in(0), over, [](at::Tensor& y, const at::Tensor& x) { at::sigmoid_out(y, x); });
        }
        case Op::silu: {
            const bool over = in_place();
            if (!device_.is_cpu()) {
                at::Tensor x = in(0);
                return over ? at::silu_(x) : at::silu(x);
            }
            return in_blocks(in(0), over, [](at::Tensor& y, const at::Tensor& x) { at::silu_out(y, x); });
        }
        case Op::add:
            return at::add(in(0), in(1));
        case Op::subtract:
            return at::sub(in(0), in(1));
        case Op::multiply:
            return at::mul(in(0), in(1));
        case Op::scale_add: {
            // Not in place: mul_() would round the factor to bf16 first, mul() does not.
            const at::Tensor x = node.alpha != 1 ? at::mul(in(0), node.alpha) : in(0);
            return node.beta != 0 ? at::add(x, node.beta) : x;
        }
        case Op::concat: {
            std::vector<at::Tensor> parts;
            for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                parts.push_back(in(i));
            }
            return at::cat(parts, 1);
        }
        case Op::pixel_shuffle:
            return at::pixel_shuffle(in(0), node.factor_num);
        case Op::interpolate: {
            const at::Tensor x = in(0);
            return at::upsample_nearest2d(x, {x.size(2) * node.factor_num, x.size(3) * node.factor_num});
        }
        case Op::pad: {
            const std::int64_t p = node.padding;
            return at::replication_pad2d(in(0), {p, p, p, p});
        }
        case Op::crop: {
            const at::Tensor x = in(0);
            const std::int64_t p = node.padding;
            return x.narrow(2, p, x.size(2) - 2 * p).narrow(3, p, x.size(3) - 2 * p);
        }
    }
    return {};
}

}   // namespace millstream
