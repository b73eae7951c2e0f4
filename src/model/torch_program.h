// A network as a list of Torch calls.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "model/network.h"

namespace millstream {

/// Weights converted and laid out once; run() may be called from several threads at a time.
class TorchProgram {
public:
    /// `lowered`: see lowered(). `type`: what layers compute in, unless they stay in fp32 (layers_in_fp32()).
    TorchProgram(const Network& lowered, at::Device device, at::ScalarType type);

    /// `input` [N,3,h,w] float32. Writes `output` [N,3,scale*h,scale*w] float32. Intermediate results are released as
    /// soon as their last reader has run. Needs c10::InferenceMode on the calling thread.
    void run(const at::Tensor& input, at::Tensor& output) const;

private:
    struct Step {
        Node node;   ///< without its weights
        at::ScalarType type = at::kFloat;
        at::Tensor weight;
        at::Tensor bias;
        bool emulated = false;               ///< Note [bf16 in software]
        std::vector<std::size_t> releases;   ///< results read here for the last time
    };

    Step prepare(const Node& node, at::ScalarType type) const;
    at::Tensor compute(const Step& step, std::vector<at::Tensor>& results) const;
    at::Tensor convolution(const Step& step, const at::Tensor& input) const;

    at::Device device_;
    std::vector<Step> steps_;
    std::size_t output_;
};

}   // namespace millstream
