#include "enhance/cost_model.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <chrono>

#include "resource/memory.h"

namespace millstream {
namespace {

// What a backend needs above the values alive at once: layout conversions, padding of channels, work buffers.
constexpr double kBackendSurcharge = 1.4;

}   // namespace

NetworkCost estimate_cost(const Network& network, const ExecutorSettings& settings) {
    NetworkCost cost;
    cost.bytes_per_pixel = activation_bytes_per_pixel(network, settings.precision) * kBackendSurcharge;
    cost.fixed_bytes = 2 * network.weight_bytes;   // the graph's copy and the backend's packed one
    return cost;
}

NetworkCost measure_cost(const Network& network, const ExecutorSettings& settings) {
    ExecutorSettings one = settings;
    one.requests = 1;
    NetworkCost cost = estimate_cost(network, one);
    const std::uint64_t before = resident_bytes();
    const auto executor = make_executor(network, one);
    const int side = (kProbeSide + network.alignment - 1) / network.alignment * network.alignment;
    const at::Tensor input = at::full({1, 3, side, side}, 0.5F);
    run_once(*executor, network, input);   // compiles and warms up
    reset_peak_resident_bytes();
    const std::uint64_t compiled = resident_bytes();
    const auto start = std::chrono::steady_clock::now();
    run_once(*executor, network, input);
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double pixels = static_cast<double>(side) * side;
    // A backend that frees its activations shows them in the peak of the run, one that keeps them in what the
    // compilation left behind. Too small a difference to trust leaves the graph's own figure.
    const std::uint64_t held = compiled > before ? compiled - before : 0;
    const std::uint64_t peak = peak_resident_bytes();
    const std::uint64_t grown = peak > compiled ? peak - compiled : 0;
    const double activations = static_cast<double>(held + grown) - static_cast<double>(cost.fixed_bytes);
    cost.bytes_per_pixel = std::max(cost.bytes_per_pixel, activations / pixels);
    cost.seconds_per_pixel = elapsed / pixels;
    cost.measured = true;
    return cost;
}

}   // namespace millstream
