// The network on every frame against reuse, for frames given as raw RGB:
// `reuse_frames MODEL SCALE WIDTH HEIGHT exact|safe|fast... [into=FOLDER] < frames.rgb24`.
// Prints JSON: CPU time of the network on whole frames, and for each preset its CPU time, share computed, in all and of
// each frame, and the PSNR of each frame against the network's, both rounded to 8 bits. bench/reuse.py judges them.
// With into=FOLDER the pictures are left there as raw RGB: off.rgb, and one file for each preset.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "enhance/reuse_enhancer.h"
#include "model/executor.h"
#include "model/network.h"
#include "motion/motion_on_demand.h"
#include "raw_frames.h"

namespace millstream {
namespace {

constexpr double kSame = 99;   // dB, where nothing differs

double cpu_s() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

at::Tensor eight_bits(const at::Tensor& picture) {
    return (picture * kWhite).round().clamp(0, kWhite).to(at::kByte);
}

double psnr(const at::Tensor& a, const at::Tensor& b) {
    const double error = (a.to(at::kFloat) - b.to(at::kFloat)).square().mean().item<double>();
    return error > 0 ? std::min(kSame, 10 * std::log10(kWhite * kWhite / error)) : kSame;
}

struct Setting {
    LoadedModel model;
    ExecutorSettings executor;
    Size frame;
};

// What an enhancer made of the frames, and at what price.
struct Enhanced {
    std::vector<at::Tensor> outputs;
    std::vector<double> shares;   // computed of each frame
    ReuseCounts counts;
    double seconds = 0;   // CPU time
};

// Every frame through an enhancer with these settings.
Enhanced enhanced(const Setting& setting, const std::optional<ReuseSettings>& reuse,
                  const std::vector<at::Tensor>& inputs) {
    const int scale = setting.model.network.scale;
    SteadyEnhancer::Settings settings;
    settings.executor = setting.executor;
    settings.executor.any_shape = reuse.has_value();
    settings.executor.waiting = reuse ? kWaitingAreas * settings.executor.requests : 0;
    settings.scale = scale;
    settings.frame = setting.frame;
    settings.layout.tile = setting.frame;
    SteadyEnhancer::Surroundings surroundings;
    surroundings.make_executor = [&](const ExecutorSettings& wanted) {
        return make_executor(setting.model.network, wanted);
    };
    surroundings.make_output = [](Size size) { return at::empty({3, size.height, size.width}, at::kFloat); };
    SteadyEnhancer network(settings, surroundings);
    const int strips = reuse ? strips_for(settings.executor.requests, setting.frame, reuse->reach) : 1;
    ReuseEnhancer enhancer({reuse, setting.frame, setting.executor.threads, strips}, network, [&] {
        return at::empty({3, setting.frame.height * scale, setting.frame.width * scale}, at::kFloat);
    });
    MotionOnDemand motion(FlowQuality::full);
    Enhanced result;
    const double begin = cpu_s();
    const auto keep = [&](const std::optional<EnhancerFrame>& done) {
        if (done) {
            result.outputs.push_back(eight_bits(done->output));
        }
        return done.has_value();
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        Motion followed;
        followed.cut = reuse && !motion.follows(inputs[i]);
        const double computed = enhancer.counts().computed_frames;
        enhancer.submit(static_cast<std::int64_t>(i), inputs[i], followed, false, [&] { return motion.flow(); });
        result.shares.push_back(enhancer.counts().computed_frames - computed);
        while (keep(enhancer.poll())) {
        }
    }
    while (keep(enhancer.drain())) {
    }
    result.seconds = cpu_s() - begin;
    result.counts = enhancer.counts();
    return result;
}

void print_list(const char* name, const std::vector<double>& values) {
    std::printf("\"%s\": [", name);
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::printf("%s%.3f", i == 0 ? "" : ", ", values[i]);
    }
    std::printf("]");
}

void print(const char* name, const Enhanced& result, const std::vector<double>& levels) {
    const ReuseCounts& counts = result.counts;
    const auto frames = static_cast<double>(counts.frames);
    std::printf(
        ",\n \"%s\": {\"cpu_s\": %.3f, \"share\": %.4f, \"whole_frames\": %lld, \"checks\": %lld, "
        "\"check_error\": %.3f, \"worst_check\": %.3f, \"tightened\": %lld, ",
        name, result.seconds, counts.computed_frames / frames, static_cast<long long>(counts.whole_frames),
        static_cast<long long>(counts.checks),
        counts.checks > 0 ? counts.check_errors / static_cast<double>(counts.checks) : 0, counts.worst_error,
        static_cast<long long>(counts.tightened));
    print_list("shares", result.shares);
    std::printf(", ");
    print_list("psnr", levels);
    std::printf("}");
}

// [3,h,w] bytes each, as rows of RGB.
void leave_pictures(const std::string& folder, const std::string& name, const std::vector<at::Tensor>& pictures) {
    if (folder.empty()) {
        return;
    }
    std::ofstream file(folder + "/" + name + ".rgb", std::ios::binary);
    file.exceptions(std::ios::badbit | std::ios::failbit);
    for (const at::Tensor& picture : pictures) {
        const at::Tensor packed = picture.permute({1, 2, 0}).contiguous();
        file.write(static_cast<const char*>(packed.const_data_ptr()), packed.numel());
    }
}

struct Wish {
    std::vector<std::string> presets;
    std::string folder;   // of pictures; empty: none
};

Wish wish(const std::vector<std::string>& words) {
    Wish result;
    const std::string into = "into=";
    for (const std::string& word : words) {
        if (word.starts_with(into)) {
            result.folder = word.substr(into.size());
        } else {
            result.presets.push_back(word);
        }
    }
    return result;
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() < 5) {
        std::fputs("usage: reuse_frames MODEL SCALE WIDTH HEIGHT exact|safe|fast... [into=FOLDER] < frames.rgb24\n",
                   stderr);
        return 2;
    }
    const c10::InferenceMode inference;
    Setting setting{load_model(arguments[0], std::stoi(arguments[1])), {}, {}};
    setting.executor.threads = usable_cpus();
    setting.executor.requests = setting.executor.threads;
    setting.frame = {std::stoi(arguments[2]), std::stoi(arguments[3])};
    resolve_backend(setting.executor);
    const Wish wished = wish({arguments.begin() + 4, arguments.end()});
    const std::vector<at::Tensor> inputs = raw_frames(stdin, setting.frame);
    const Enhanced whole = enhanced(setting, std::nullopt, inputs);
    leave_pictures(wished.folder, "off", whole.outputs);
    std::printf("{\"frames\": %zu, \"off_cpu_s\": %.3f", inputs.size(), whole.seconds);
    for (const std::string& preset : wished.presets) {
        const Network& network = setting.model.network;
        const ReuseSettings reuse = reuse_settings(reuse_called(preset), network, true, setting.executor.precision);
        const Enhanced reused = enhanced(setting, reuse, inputs);
        std::vector<double> levels;
        for (std::size_t j = 0; j < reused.outputs.size(); ++j) {
            levels.push_back(psnr(reused.outputs[j], whole.outputs[j]));
        }
        print(preset.c_str(), reused, levels);
        leave_pictures(wished.folder, preset, reused.outputs);
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
        std::fprintf(stderr, "reuse_frames: %s\n", error.what());
        return 1;
    }
}
