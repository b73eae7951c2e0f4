#include "enhance/cost_model.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <chrono>

#include "base/bytes.h"
#include "enhance/steady_enhancer.h"
#include "model/device.h"
#include "resource/memory.h"

namespace millstream {
namespace {

// Note [Network memory]
// Memory is a straight line over the pixels in flight, with a part that does not depend on them. Measured, fp32, two
// threads, growth of the resident memory in MiB, input and output tensors not counted; "graph" is the most bytes of
// results alive at once, per pixel:
//
//     OpenVINO 2026.4             96²    128²    192²    256²    320²    400²  640x360   slope B/px  graph
//     animevideov3 x2             45              67             107              187      651-811    576
//     animevideov3 x2, 2 requests                 91             170                                  576
//     animevideov3 x4                     52              80            133                587        576
//     span x2                             67             140            279               1548       1536
//     x4plus                     241             457                                      8207       8192
//     Torch 2.15 (CPU)
//     animevideov3 x2                     35             104            188           941-1465        576
//     span x2                             48             193                              3100       1536
//
// So OpenVINO needs little more than the graph says and 30 to 45 MiB, once, beside its weights (x4plus: 169 MiB with
// 64 MiB of weights); Torch twice what the graph says.
constexpr double kOpenVinoSurcharge = 1.15;
constexpr double kTorchSurcharge = 2.1;
constexpr std::uint64_t kBackendBytes = 40 * kMiB;
constexpr double kWeightCopies = 2.2;   // the graph's own and the backend's packed ones
// Pages, allocator and what one measurement misses.
constexpr double kSafety = 1.05;

// How far memory rises for pictures of this side, and how long one takes. The tensors themselves are planned for
// elsewhere.
struct Probe {
    double growth = 0;    // bytes
    double seconds = 0;   // of the last run: the first one compiles
};

Probe probe(const Network& network, const ExecutorSettings& settings, int side, int runs) {
    const int aligned = (side + network.alignment - 1) / network.alignment * network.alignment;
    DeviceLink* const link = settings.links.empty() ? nullptr : settings.links.front().get();
    const at::Tensor input = at::full({1, 3, aligned, aligned}, 0.5F);
    const at::Tensor output = at::zeros({1, network.channels, aligned * network.scale, aligned * network.scale});
    release_caches();
    const std::uint64_t before = link == nullptr ? resident_bytes() : 0;
    if (link != nullptr) {
        link->take_peak_bytes();
    }
    const auto executor = make_executor(network, settings);
    reset_peak_resident_bytes();
    Probe result;
    for (int run = 0; run < runs; ++run) {
        const auto start = std::chrono::steady_clock::now();
        executor->start(0, input, output);
        executor->wait(0);
        result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    const std::uint64_t peak =
        link != nullptr ? link->take_peak_bytes() : std::max(peak_resident_bytes(), resident_bytes());
    result.growth = peak > before ? static_cast<double>(peak - before) : 0;
    return result;
}

}   // namespace

NetworkCost estimate_cost(const Network& network, const ExecutorSettings& settings) {
    const double surcharge = settings.backend == Backend::torch ? kTorchSurcharge : kOpenVinoSurcharge;
    NetworkCost cost;
    cost.bytes_per_pixel = activation_bytes_per_pixel(network, settings.precision) * surcharge;
    cost.fixed_bytes =
        kBackendBytes + static_cast<std::uint64_t>(kWeightCopies * static_cast<double>(network.weight_bytes));
    return cost;
}

NetworkCost measure_cost(const Network& network, const ExecutorSettings& settings) {
    ExecutorSettings one = settings;
    one.requests = 1;
    one.device = device_words(settings.device).front();
    one.links.resize(std::min<std::size_t>(one.links.size(), 1));
    std::uint64_t peak = peak_resident_bytes();
    // Torch's second run takes more than its first, and its first executor what it sets up once.
    const bool torch = settings.backend == Backend::torch;
    const double first = probe(network, one, kSmallProbeSide, torch ? 2 : 1).growth;
    const double small = torch ? probe(network, one, kSmallProbeSide, 2).growth : first;
    peak = std::max(peak, peak_resident_bytes());
    const Probe last = probe(network, one, kLargeProbeSide, 2);
    peak = std::max(peak, peak_resident_bytes());
    const double large = last.growth;
    for (const auto& link : one.links) {
        link->drop_buffers();   // the job's tensors have other sizes
    }
    release_caches();
    constexpr double kSmallPixels = kSmallProbeSide * kSmallProbeSide;
    constexpr double kLargePixels = kLargeProbeSide * kLargeProbeSide;
    // Never less than the graph itself: memory that was free before does not show.
    const double graph = activation_bytes_per_pixel(network, settings.precision);
    const double slope = std::max(graph, (large - small) / (kLargePixels - kSmallPixels));
    const double fixed = std::max(
        {first - slope * kSmallPixels, large - slope * kLargePixels, static_cast<double>(network.weight_bytes)});
    NetworkCost cost;
    cost.bytes_per_pixel = slope * kSafety;
    cost.fixed_bytes = static_cast<std::uint64_t>(fixed * kSafety);
    cost.seconds_per_pixel = last.seconds / kLargePixels;
    cost.measured = true;
    cost.peak_rss_bytes = peak;
    return cost;
}

}   // namespace millstream
