// Convolutions in 8-bit integers: which of a network's, and over what ranges.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "model/executor.h"
#include "model/network.h"

namespace millstream {

/// What has been seen of the values that go into a convolution, by channel.
struct InputValues {
    int node = 0;   ///< of the lowered network
    std::vector<float> low;
    std::vector<float> high;
    std::vector<float> mean;
};

/// Convolutions of a lowered network that could work in integers: those that learnt features and that no precision
/// keeps in fp32 (layers_in_fp32()).
std::vector<int> quantisable(const Network& lowered);

/// Runs the network in fp32 on `pictures` ([1,3,h,w] float32, any sizes, at least one) and watches `nodes`. Not more
/// than `threads` CPU threads. Throws as an executor does.
std::vector<InputValues> watch_inputs(const Network& lowered, std::span<const int> nodes,
                                      std::span<const at::Tensor> pictures, int threads);

/// The same network with the convolutions `chosen` (their inputs among `seen`) prepared for integers: channels brought
/// to one range, Node::int8 set, biases corrected by what rounding the weights shifts. Note [Int8]. Run in
/// full precision it still gives what it gave, but for that correction.
Network quantised(const Network& lowered, std::span<const InputValues> seen, std::span<const int> chosen);

/// Largest magnitude of the weights of each output channel: 127 steps of the quantised weight. Never zero.
std::vector<float> weight_limits(const Node& convolution);

/// What quantise() has found.
struct Int8Choice {
    std::optional<Network> network;   ///< to be run with Precision::int8; none where it would differ by too much
    int candidates = 0;               ///< convolutions that could work in integers
    int chosen = 0;                   ///< that do
    double share = 0;                 ///< of all multiply-adds, that those take
    double psnr = 0;                  ///< dB to base_precision(), 8-bit, pictures held back; of the best try if none
};

/// Likeness that a network in integers must keep, dB.
inline constexpr double kLeastInt8Psnr = 45;

/// Quantises as many convolutions as keep kLeastInt8Psnr on `held_back`, after watching `watched` (both [1,3,h,w]
/// float32, sides a multiple of Network::alignment). Each alone is tried first, to know which do the most harm: a dozen
/// to two dozen compilations and runs. Deterministic. Throws as an executor does, and Error(interrupted) on a stop
/// request, between two of them.
Int8Choice quantise(const Network& network, const ExecutorSettings& settings, std::span<const at::Tensor> watched,
                    std::span<const at::Tensor> held_back, const std::stop_token& stop = {});

}   // namespace millstream
