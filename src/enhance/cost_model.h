// What a network costs on this machine: memory per input pixel, and what does not depend on the picture.
#pragma once

#include <cstdint>

#include "model/executor.h"
#include "model/network.h"

namespace millstream {

/// Memory of n requests of p input pixels each: fixed_bytes + n * p * bytes_per_pixel. Note [Network memory].
struct NetworkCost {
    double bytes_per_pixel = 0;      ///< activations of one request, per input pixel of its tile
    std::uint64_t fixed_bytes = 0;   ///< weights as the backend keeps them, compiled code; once, not a request
    double seconds_per_pixel = 0;    ///< 0 = not measured
    bool measured = false;
    std::uint64_t peak_rss_bytes = 0;   ///< of the process up to then, which measuring makes the kernel forget
};

/// From the graph alone: the most values alive at once, in the backend's width, with the backend's measured surcharge.
NetworkCost estimate_cost(const Network& network, const ExecutorSettings& settings);

/// Runs two small pictures through one-request executors of their own and watches how far memory rises: the device's
/// where it has its own, else the host's. Costs about as much as a frame of kProbePixels and two compilations; on Torch
/// the small one has a second executor. Resets the kernel's peak-memory mark of the process.
NetworkCost measure_cost(const Network& network, const ExecutorSettings& settings);

/// Input pixels a side of the two probes: large enough for the backend's usual kernels.
inline constexpr int kSmallProbeSide = 96;
inline constexpr int kLargeProbeSide = 192;
inline constexpr double kProbePixels = 2 * (kSmallProbeSide * kSmallProbeSide + kLargeProbeSide * kLargeProbeSide);

}   // namespace millstream
