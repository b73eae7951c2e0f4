#include "model/quantise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "model/analyse.h"
#include "model/precision.h"

// Note [Int8]
// A convolution in integers takes its input as one of 256 equal steps between two values, the same for all channels,
// and each output channel's weights as one of 255. What that costs in likeness, and what wins it back, measured
// with animevideov3 x2 on frames of onepiece_demo and chaplin (PSNR to fp32, 8-bit RGB, 16 of its 18 convolutions):
//     as it is                                                            41.3  40.0 dB
//     channels brought to one range                                       44.1  44.0
//     and biases corrected                                                44.9  44.3
//     and the outermost fifth of the range cut off                        45.3  44.6
// - A channel that reaches to 5 where another reaches to 70 has 18 steps left of 256. As a rectifier passes positive
// factors
//   through, a factor on one convolution's outputs can be undone in the next one's weights: each channel is divided by
//   m^0.7 / w^0.3, its largest magnitude and that of the weights it meets (0.5: 40.0 dB with steps half as
//   fine, 0.7: 39.7 and 40.5, 1: 38.8 and 38.0; the trade between values and weights is that of SmoothQuant, Xiao et
//   al. 2023, the exactness that of cross-layer equalisation, Nagel et al. 2019).
// - Rounded weights shift an output's mean by the sum of their errors times the inputs' means: the bias takes that
// back.
// - Values beyond the range are cut off; the extremes are so rare that finer steps are worth more.
// Processors without VNNI add two products in 16 bits, which can overflow: 7-bit weights would avoid that, but cost
// more (38.7 dB) than the overflows do.

namespace millstream {
namespace {

constexpr float kInputShare = 0.7F;   // of the trade between values and weights
constexpr float kCovered = 0.8F;      // of the range that was seen
constexpr float kInputSteps = 255;
constexpr float kWeightSteps = 127;   // to each side of zero
constexpr float kSmallest = 1e-6F;

std::size_t at(int index) {
    return static_cast<std::size_t>(index);
}

std::size_t outputs_of(const Node& convolution) {
    return static_cast<std::size_t>(convolution.shape[0]);
}
std::size_t inputs_of(const Node& convolution) {
    return static_cast<std::size_t>(convolution.shape[1]);
}
std::size_t taps_of(const Node& convolution) {
    return static_cast<std::size_t>(convolution.kernel) * static_cast<std::size_t>(convolution.kernel);
}

bool learns_features(const Node& node) {
    return node.op == Op::convolution && node.groups == 1;
}

// f(s * x) = s * f(x) for s > 0.
bool passes_factors(const Node& node) {
    return node.op == Op::prelu || node.op == Op::leaky_relu || node.op == Op::relu;
}

// The convolution whose outputs nobody else reads before `index` does, with nothing between but rectifiers; -1: none.
int only_source(const Network& network, const std::vector<int>& readers, int index) {
    int source = network.nodes[at(index)].inputs[0];
    while (readers[at(source)] == 1 && passes_factors(network.nodes[at(source)])) {
        source = network.nodes[at(source)].inputs[0];
    }
    return readers[at(source)] == 1 && learns_features(network.nodes[at(source)]) ? source : -1;
}

std::vector<float> magnitudes_by_input(const Node& convolution) {
    const std::size_t taps = taps_of(convolution);
    std::vector<float> most(inputs_of(convolution), kSmallest);
    for (std::size_t i = 0; i < convolution.weights.size(); ++i) {
        float& channel = most[i / taps % most.size()];
        channel = std::max(channel, std::abs(convolution.weights[i]));
    }
    return most;
}

// What each input channel is divided by. Their geometric mean is one.
std::vector<float> factors_of(const Node& convolution, const InputValues& seen) {
    std::vector<float> factors = magnitudes_by_input(convolution);
    double logarithms = 0;
    for (std::size_t c = 0; c < factors.size(); ++c) {
        const float most = std::max({-seen.low[c], seen.high[c], kSmallest});
        factors[c] = std::pow(most, kInputShare) / std::pow(factors[c], 1 - kInputShare);
        logarithms += std::log(factors[c]);
    }
    const auto middle = static_cast<float>(std::exp(logarithms / static_cast<double>(factors.size())));
    for (float& factor : factors) {
        factor /= middle;
    }
    return factors;
}

void divide_outputs(Node& convolution, const std::vector<float>& factors) {
    const std::size_t each = convolution.weights.size() / factors.size();
    for (std::size_t i = 0; i < convolution.weights.size(); ++i) {
        convolution.weights[i] /= factors[i / each];
    }
    for (std::size_t o = 0; o < convolution.bias.size(); ++o) {
        convolution.bias[o] /= factors[o];
    }
}

void multiply_inputs(Node& convolution, const std::vector<float>& factors) {
    const std::size_t taps = taps_of(convolution);
    for (std::size_t i = 0; i < convolution.weights.size(); ++i) {
        convolution.weights[i] *= factors[i / taps % factors.size()];
    }
}

// Steps with zero among them: what stands outside the picture must stay zero.
std::optional<Node::Steps> steps_over(const InputValues& seen) {
    const float low = std::min(0.0F, kCovered * *std::min_element(seen.low.begin(), seen.low.end()));
    const float high = std::max(0.0F, kCovered * *std::max_element(seen.high.begin(), seen.high.end()));
    if (!(high - low > kSmallest)) {
        return std::nullopt;
    }
    const float step = (high - low) / kInputSteps;
    const float below = std::round(-low / step);
    return Node::Steps{-below * step, (kInputSteps - below) * step};
}

void correct_bias(Node& convolution, const InputValues& seen) {
    const std::size_t taps = taps_of(convolution);
    const std::size_t inputs = inputs_of(convolution);
    const std::vector<float> limits = weight_limits(convolution);
    convolution.bias.resize(outputs_of(convolution), 0.0F);
    for (std::size_t o = 0; o < limits.size(); ++o) {
        const float step = limits[o] / kWeightSteps;
        double lost = 0;
        for (std::size_t i = 0; i < inputs * taps; ++i) {
            const float weight = convolution.weights[o * inputs * taps + i];
            lost += (weight - std::nearbyint(weight / step) * step) * seen.mean[i / taps];
        }
        convolution.bias[o] += static_cast<float>(lost);
    }
}

}   // namespace

std::vector<int> quantisable(const Network& lowered) {
    const std::vector<bool> fp32 = layers_in_fp32(lowered);
    std::vector<int> found;
    for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
        if (learns_features(lowered.nodes[i]) && !fp32[i]) {
            found.push_back(static_cast<int>(i));
        }
    }
    return found;
}

std::vector<float> weight_limits(const Node& convolution) {
    std::vector<float> most(outputs_of(convolution), kSmallest);
    const std::size_t each = convolution.weights.size() / most.size();
    for (std::size_t i = 0; i < convolution.weights.size(); ++i) {
        most[i / each] = std::max(most[i / each], std::abs(convolution.weights[i]));
    }
    return most;
}

Network quantised(const Network& lowered, std::span<const InputValues> seen, std::span<const int> chosen) {
    Network network = lowered;
    const std::vector<int> readers = reader_counts(network);
    std::vector<InputValues> values;
    for (const InputValues& one : seen) {
        if (std::find(chosen.begin(), chosen.end(), one.node) != chosen.end()) {
            values.push_back(one);
        }
    }
    for (InputValues& one : values) {
        if (const int source = only_source(network, readers, one.node); source >= 0) {
            const std::vector<float> factors = factors_of(network.nodes[at(one.node)], one);
            divide_outputs(network.nodes[at(source)], factors);
            multiply_inputs(network.nodes[at(one.node)], factors);
            for (std::size_t c = 0; c < factors.size(); ++c) {
                one.low[c] /= factors[c];
                one.high[c] /= factors[c];
                one.mean[c] /= factors[c];
            }
        }
        network.nodes[at(one.node)].int8 = steps_over(one);
    }
    for (const InputValues& one : values) {   // when all weights are as they will be
        if (network.nodes[at(one.node)].int8) {
            correct_bias(network.nodes[at(one.node)], one);
        }
    }
    return network;
}

}   // namespace millstream
