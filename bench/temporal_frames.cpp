// The network's output with and without the temporal lock, and the flow, for frames given as raw RGB:
// `temporal_frames MODEL SCALE WIDTH HEIGHT PRESET FLOW < frames.rgb24 > results`.
// Each frame gives the network's output and the lock's, SCALE*WIDTH x SCALE*HEIGHT rgb24, and the flow as float32
// [2,HEIGHT,WIDTH] (nothing moves where a scene begins). bench/temporal.py judges them.
#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "model/executor.h"
#include "model/network.h"
#include "motion/estimator.h"
#include "temporal/lock.h"

namespace millstream {
namespace {

constexpr double kWhite = 255;

void write(const at::Tensor& tensor) {
    const at::Tensor bytes = tensor.contiguous();
    std::fwrite(bytes.const_data_ptr(), 1, bytes.nbytes(), stdout);
}

void write_picture(const at::Tensor& picture) {
    write((picture * kWhite).round().clamp(0, kWhite).to(at::kByte).permute({1, 2, 0}));
}

TemporalPreset preset(const std::string& name) {
    return name == "low" ? TemporalPreset::low : name == "high" ? TemporalPreset::high : TemporalPreset::medium;
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() != 6) {
        std::fputs("usage: temporal_frames MODEL SCALE WIDTH HEIGHT low|medium|high full|fast\n", stderr);
        return 2;
    }
    const c10::InferenceMode inference;
    const int scale = std::stoi(arguments[1]);
    const std::int64_t width = std::stoll(arguments[2]);
    const std::int64_t height = std::stoll(arguments[3]);
    const LoadedModel model = load_model(arguments[0], scale);
    ExecutorSettings settings;
    settings.threads = usable_cpus();
    resolve_backend(settings);
    const std::unique_ptr<Executor> executor = make_executor(model.network, settings);
    MotionEstimator estimator(arguments[5] == "fast" ? FlowQuality::fast : FlowQuality::full);
    TemporalLock lock(lock_settings(preset(arguments[4])));

    std::vector<unsigned char> bytes(static_cast<std::size_t>(width * height * 3));
    while (std::fread(bytes.data(), 1, bytes.size(), stdin) == bytes.size()) {
        const at::Tensor input = (at::from_blob(bytes.data(), {height, width, 3}, at::kByte).to(at::kFloat) / kWhite)
                                     .permute({2, 0, 1})
                                     .contiguous();
        at::Tensor frame = run_once(*executor, model.network, input.unsqueeze(0)).squeeze(0);
        const Motion motion = estimator.next(input);
        write_picture(frame);
        lock.stabilise(motion, frame);
        write_picture(frame);
        write(motion.cut ? at::zeros({2, height, width}) : motion.flow);
    }
    return 0;
}

}   // namespace
}   // namespace millstream

int main(int argc, char** argv) {
    try {
        return millstream::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "temporal_frames: %s\n", error.what());
        return 1;
    }
}
