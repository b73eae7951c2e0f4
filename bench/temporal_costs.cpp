// What motion and lock cost on one thread: `temporal_costs WIDTH HEIGHT SCALE REPEATS`. Prints one JSON object with
// milliseconds of CPU time a frame, the least of the repeats, for the CPU's own code and for the reference.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <limits>
#include <string>
#include <vector>

#include "motion/cpu_flow.h"
#include "motion/estimator.h"
#include "motion/filters.h"
#include "motion/flow_reference.h"
#include "temporal/blend_cpu.h"
#include "temporal/lock.h"

namespace millstream {
namespace {

double thread_ms() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

template <class Work>
double least_ms(int repeats, const Work& work) {
    double least = std::numeric_limits<double>::max();
    for (int i = 0; i <= repeats; ++i) {   // one to warm up
        const double start = thread_ms();
        work(i);
        if (i > 0) {
            least = std::min(least, thread_ms() - start);
        }
    }
    return least;
}

// Smooth random pictures, each the one before moved by a pixel and a bit, with noise.
std::vector<at::Tensor> pictures(std::int64_t height, std::int64_t width, int count) {
    const at::Tensor coarse = at::rand({1, 3, height / 6 + 2, width / 6 + 2});
    const at::Tensor large = at::upsample_bicubic2d(coarse, {height + 16, width + 16}, false).clamp(0, 1);
    std::vector<at::Tensor> result;
    for (int i = 0; i < count; ++i) {
        const at::Tensor view = large[0].narrow(1, 3 + i, height).narrow(2, 3 + i, width);
        result.push_back((view + at::randn(view.sizes()) * (3.0 / 255)).clamp(0, 1).contiguous());
    }
    return result;
}

void run(std::int64_t width, std::int64_t height, std::int64_t scale, int repeats) {
    const c10::InferenceMode inference;
    at::set_num_threads(1);
    at::manual_seed(1);
    const auto inputs = pictures(height, width, 8);
    const auto frame = [&](int i) { return inputs[static_cast<std::size_t>(i) % inputs.size()]; };
    const at::Tensor now = luma(frame(1).unsqueeze(0));
    const at::Tensor before = luma(frame(0).unsqueeze(0));
    const auto motion_ms = [&](FlowQuality quality) {
        MotionEstimator estimator(quality);
        return least_ms(repeats, [&](int i) { estimator.next(frame(i)); });
    };
    const auto flow_ms = [&](FlowQuality quality) {
        CpuFlow flow(quality);
        return least_ms(repeats, [&](int) { flow.flow(now, before); });
    };
    MotionEstimator estimator(FlowQuality::full);
    TemporalLock lock(lock_settings(TemporalPreset::medium));
    std::vector<Motion> motions;
    std::vector<at::Tensor> outputs;
    for (int i = 0; i <= repeats; ++i) {
        motions.push_back(estimator.next(frame(i)));
        outputs.push_back(at::upsample_bilinear2d(frame(i).unsqueeze(0), {height * scale, width * scale}, false)[0]);
    }
    const double lock_ms = least_ms(repeats, [&](int i) {
        lock.stabilise(motions[static_cast<std::size_t>(i)], outputs[static_cast<std::size_t>(i)]);
    });
    const double full = motion_ms(FlowQuality::full);
    const double fast = motion_ms(FlowQuality::fast);
    std::printf(
        "{\"motion_full_ms\": %.2f, \"motion_fast_ms\": %.2f, \"flow_full_ms\": %.2f, \"flow_fast_ms\": %.2f, "
        "\"flow_reference_ms\": %.2f, \"lock_ms\": %.2f}\n",
        full, fast, flow_ms(FlowQuality::full), flow_ms(FlowQuality::fast),
        least_ms(std::min(repeats, 3), [&](int) { reference_flow(now, before, FlowQuality::full); }), lock_ms);
}

}   // namespace
}   // namespace millstream

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: temporal_costs WIDTH HEIGHT SCALE REPEATS\n", stderr);
        return 2;
    }
    millstream::run(std::stoll(argv[1]), std::stoll(argv[2]), std::stoll(argv[3]), std::stoi(argv[4]));
    return 0;
}
