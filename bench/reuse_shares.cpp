// What reuse would compute of frames given as raw RGB, without computing it: the plan alone, so that whole clips can be
// looked at in seconds. `reuse_shares MODEL SCALE WIDTH HEIGHT [device:]exact|safe|fast... < frames.rgb24`; `device:`
// does it by the tensor operations that a device is asked for. Prints JSON: of each preset the share of each frame,
// halos included, that the network would run on, the share that was needed and taken in without halos, the mean number
// of areas, and the milliseconds a frame that deciding took. Checks, which tighten thresholds where they find too large
// an error, are left out, and so is what strips of whole frames overlap.
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "enhance/reuse_plan.h"
#include "model/executor.h"
#include "model/network.h"
#include "motion/motion_on_demand.h"
#include "raw_frames.h"

namespace millstream {
namespace {

void follow(const std::string& preset, const Network& network, Size frame, const std::vector<at::Tensor>& inputs) {
    const std::string device = "device:";
    const bool there = preset.rfind(device, 0) == 0;
    TableWays ways;
    if (there) {
        ways = {[](const at::Tensor& table) { return table.contiguous(); },
                [](const at::Tensor& table) { return table.clone(); }};
    }
    ExecutorSettings executor;
    resolve_backend(executor);
    const Reuse reuse = reuse_called(there ? preset.substr(device.size()) : preset);
    ReusePlanner planner(reuse_settings(reuse, network, true, executor.precision), frame, ways);
    MotionOnDemand motion(FlowQuality::full, there);
    double blocks = 0;
    std::size_t areas = 0;
    std::string shares;
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        Motion followed;
        followed.cut = !motion.follows(inputs[i]);
        const ReusePlan plan =
            planner.next(static_cast<std::int64_t>(i), inputs[i], followed, false, [&motion] { return motion.flow(); });
        const double pixels = static_cast<double>(frame.width) * frame.height;
        shares += (i == 0 ? "" : ", ") + std::to_string(static_cast<double>(planner.computed_pixels(plan)) / pixels);
        const auto& source = plan.source.values;
        blocks += plan.whole ? 1
                             : static_cast<double>(std::count(source.begin(), source.end(), BlockSource::computed)) /
                                   static_cast<double>(source.size());
        areas += plan.areas.size();
    }
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    const auto count = static_cast<double>(inputs.size());
    std::printf(",\n \"%s\": {\"blocks\": %.4f, \"areas\": %.1f, \"ms\": %.1f, \"shares\": [%s]}", preset.c_str(),
                blocks / count, static_cast<double>(areas) / count, taken.count() / count, shares.c_str());
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() < 5) {
        std::fputs("usage: reuse_shares MODEL SCALE WIDTH HEIGHT [device:]exact|safe|fast... < frames.rgb24\n", stderr);
        return 2;
    }
    const c10::InferenceMode inference;
    const LoadedModel model = load_model(arguments[0], std::stoi(arguments[1]));
    const Size frame{std::stoi(arguments[2]), std::stoi(arguments[3])};
    const std::vector<at::Tensor> inputs = raw_frames(stdin, frame);
    std::printf("{\"frames\": %zu", inputs.size());
    for (std::size_t i = 4; i < arguments.size(); ++i) {
        follow(arguments[i], model.network, frame, inputs);
    }
    std::printf("}\n");
    return 0;
}

}   // namespace
}   // namespace millstream

int main(int argc, char** argv) {
    try {
        return millstream::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "reuse_shares: %s\n", error.what());
        return 1;
    }
}
