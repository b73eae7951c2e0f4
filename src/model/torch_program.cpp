#include "model/torch_program.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_prelu_kernel.h>
#include <ATen/ops/add.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/empty_like.h>
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
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <array>
#include <utility>

#include "base/cpu.h"
#include "model/analyse.h"
#include "model/precision.h"

// Note [bf16 in software]
// On a CPU without bf16 arithmetic Torch's bf16 convolutions take a path ten times slower than fp32. The hardware
// multiplies bf16 values exactly and adds them up in fp32, so an fp32 convolution of values that were rounded to bf16,
// rounded again at the end, gives the same up to the order of the sum. That is done instead: for tests, and for trying
// out what bf16 would look like. It gains no speed.

namespace millstream {
namespace {

// Note [Blocks]
// Torch's elementwise loops compute what is left over behind the last whole vector with other code, whose exp() differs
// in the last bit, and cut a tensor into as many pieces as there are threads. Where a tile's pieces end elsewhere than
// the whole frame's, its pixels would differ. So sigmoid and silu are given blocks of whole vectors, the rest padded.
template <class Function>
at::Tensor in_blocks(const at::Tensor& input, const Function& function) {
    const at::Tensor x = input.is_non_overlapping_and_dense() ? input : input.contiguous();
    constexpr std::int64_t block = 1 << 12;   // elements; a multiple of every vector length
    constexpr std::int64_t blocks_a_task = 16;
    at::Tensor y = at::empty_like(x);   // the layout of x, which is dense: flat views of both go together
    const std::int64_t count = x.numel();
    const at::Tensor from = x.as_strided({count}, {1});
    const at::Tensor to = y.as_strided({count}, {1});
    at::parallel_for(0, count / block, blocks_a_task, [&](std::int64_t first, std::int64_t end) {
        const c10::InferenceMode inference;
        at::Tensor part = to.narrow(0, first * block, (end - first) * block);
        function(part, from.narrow(0, first * block, (end - first) * block));
    });
    if (const std::int64_t rest = count % block; rest != 0) {
        at::Tensor padded = at::zeros({block}, x.options());
        padded.narrow(0, 0, rest).copy_(from.narrow(0, count - rest, rest));
        at::Tensor result = at::empty_like(padded);
        function(result, padded);
        to.narrow(0, count - rest, rest).copy_(result.narrow(0, 0, rest));
    }
    return y;
}

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape, at::Device device, at::ScalarType type) {
    // from_blob wants a mutable pointer; the copy that to() makes is what is kept.
    return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).to(device, type, false, true);
}

std::array<std::int64_t, 2> both(int value) {
    return {value, value};
}

}   // namespace

TorchProgram::TorchProgram(const Network& lowered, at::Device device, at::ScalarType type)
    : device_(device), output_(static_cast<std::size_t>(lowered.output)) {
    const std::vector<bool> fp32 = layers_in_fp32(lowered);
    const std::vector<int> last = last_readers(lowered);
    for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
        const Node& node = lowered.nodes[i];
        Step step;
        step.type = fp32[i] ? at::kFloat : type;
        step.emulated = step.type == at::kBFloat16 && device.is_cpu() && !cpu_has_bf16() && is_convolution(node);
        switch (node.op) {
            case Op::convolution:
                step.weight =
                    tensor_of(node.weights, node.shape, device, step.type).contiguous(at::MemoryFormat::ChannelsLast);
                break;
            case Op::deconvolution: {   // ours is [out,in/groups,k,k], Torch's [in,out/groups,k,k]
                const std::int64_t out = node.shape[0] / node.groups;
                step.weight = tensor_of(node.weights, {node.groups, out, node.shape[1], node.kernel, node.kernel},
                                        device, step.type)
                                  .transpose(1, 2)
                                  .reshape({node.groups * node.shape[1], out, node.kernel, node.kernel})
                                  .contiguous(at::MemoryFormat::ChannelsLast);
                break;
            }
            case Op::prelu:
                step.weight = tensor_of(node.weights, {1, static_cast<std::int64_t>(node.weights.size()), 1, 1}, device,
                                        step.type);
                break;
            case Op::constant:
                step.weight = tensor_of(node.weights, {1, node.shape[0], 1, 1}, device, at::kFloat);
                break;
            default:
                break;
        }
        if (!node.bias.empty()) {
            step.bias = tensor_of(node.bias, {static_cast<std::int64_t>(node.bias.size())}, device,
                                  step.emulated ? at::kFloat : step.type);
        }
        if (step.emulated) {
            step.weight = step.weight.to(at::kFloat);
        }
        for (const int input : node.inputs) {
            if (last[static_cast<std::size_t>(input)] == static_cast<int>(i)) {
                step.releases.push_back(static_cast<std::size_t>(input));
            }
        }
        step.node = node;
        step.node.weights = {};
        step.node.bias = {};
        steps_.push_back(std::move(step));
    }
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
    const at::Tensor x = (step.emulated ? input.to(at::kFloat) : input).contiguous(at::MemoryFormat::ChannelsLast);
    const auto padding = both(node.padding);
    const auto stride = both(node.stride);
    const auto dilation = both(1);
    if (node.op == Op::deconvolution) {
        return at::conv_transpose2d(x, step.weight, step.bias, stride, padding, both(0), node.groups);
    }
    if (x.scalar_type() == at::kFloat && device_.is_cpu()) {
        return at::mkldnn_convolution(x, step.weight, step.bias, padding, stride, dilation, node.groups);
    }
    return at::conv2d(x, step.weight, step.bias, stride, padding, dilation, node.groups);
}

at::Tensor TorchProgram::compute(const Step& step, const std::vector<at::Tensor>& results) const {
    const Node& node = step.node;
    const auto in = [&](std::size_t i) { return results[static_cast<std::size_t>(node.inputs[i])].to(step.type); };
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
            return at::leaky_relu(in(0), node.alpha);
        case Op::relu:
            return at::relu(in(0));
        case Op::sigmoid:
            return device_.is_cpu()
                       ? in_blocks(in(0), [](at::Tensor& y, const at::Tensor& x) { at::sigmoid_out(y, x); })
                       : at::sigmoid(in(0));
        case Op::silu:
            return device_.is_cpu() ? in_blocks(in(0), [](at::Tensor& y, const at::Tensor& x) { at::silu_out(y, x); })
                                    : at::silu(in(0));
        case Op::add:
            return at::add(in(0), in(1));
        case Op::subtract:
            return at::sub(in(0), in(1));
        case Op::multiply:
            return at::mul(in(0), in(1));
        case Op::scale_add: {
            at::Tensor x = node.alpha == 1 ? in(0) : at::mul(in(0), node.alpha);
            return node.beta == 0 ? x : at::add(x, node.beta);
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
            return x.narrow(2, node.padding, x.size(2) - 2 * std::int64_t{node.padding})
                .narrow(3, node.padding, x.size(3) - 2 * std::int64_t{node.padding});
        }
    }
    return {};
}

}   // namespace millstream
