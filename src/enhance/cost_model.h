// What a network costs on this machine: memory and time per input pixel.
#pragma once

#include <cstdint>

#include "model/executor.h"
#include "model/network.h"

namespace millstream {

struct NetworkCost {
    double bytes_per_pixel = 0;      ///< activations of one request, per input pixel of its tile
    std::uint64_t fixed_bytes = 0;   ///< weights as the backend keeps them, and its own structures, a request
    double seconds_per_pixel = 0;    ///< 0 = not measured
    bool measured = false;
};

/// From the graph alone: the most values alive at once, in the backend's width, with the backend's measured surcharge.
NetworkCost estimate_cost(const Network& network, const ExecutorSettings& settings);

/// Runs a small picture through a one-request executor of its own and watches time and peak memory. Costs about as much
/// as two frames of kProbeSide^2 pixels and one compilation. Resets the kernel's peak-memory mark of the process.
NetworkCost measure_cost(const Network& network, const ExecutorSettings& settings);

inline constexpr int kProbeSide = 192;   ///< input pixels: large enough for the backend's usual kernels

}   // namespace millstream
