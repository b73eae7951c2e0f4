// The network on every frame against reuse, for frames given as raw RGB:
// `reuse_frames MODEL SCALE WIDTH HEIGHT exact|safe|fast... < frames.rgb24`.
// Prints JSON: CPU time of the network on whole frames, and for each preset its CPU time, share computed, and the PSNR
// of each frame against the network's, both rounded to 8 bits. bench/reuse.py judges them.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "enhance/reuse_enhancer.h"
#include "model/executor.h"
#include "model/network.h"
#include "motion/motion_on_demand.h"

namespace millstream {
namespace {

constexpr double kWhite = 255;
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

// Every frame through an enhancer with these settings; gives what comes out, and leaves the CPU time.
std::vector<at::Tensor> enhanced(const Setting& setting, const std::optional<ReuseSettings>& reuse,
                                 const std::vector<at::Tensor>& inputs, double& seconds, ReuseCounts& counts) {
    const int scale = setting.model.network.scale;
    SteadyEnhancer::Settings settings;
    settings.executor = setting.executor;
    settings.executor.any_shape = reuse.has_value();
    settings.scale = scale;
    settings.frame = setting.frame;
    settings.layout.tile = setting.frame;
    SteadyEnhancer::Surroundings surroundings;
    surroundings.make_executor = [&](const ExecutorSettings& wanted) {
        return make_executor(setting.model.network, wanted);
    };
    surroundings.make_output = [](Size size) { return at::empty({3, size.height, size.width}, at::kFloat); };
    SteadyEnhancer network(settings, surroundings);
    ReuseEnhancer enhancer({reuse, setting.frame, setting.executor.threads}, network, [&] {
        return at::empty({3, setting.frame.height * scale, setting.frame.width * scale}, at::kFloat);
    });
    MotionOnDemand motion(FlowQuality::full);
    std::vector<at::Tensor> outputs;
    const double begin = cpu_s();
    const auto keep = [&](const std::optional<EnhancerFrame>& done) {
        if (done) {
            outputs.push_back(eight_bits(done->output));
        }
        return done.has_value();
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        Motion followed;
        followed.cut = reuse && !motion.follows(inputs[i]);
        enhancer.submit(static_cast<std::int64_t>(i), inputs[i], followed, false, [&] { return motion.flow(); });
        while (keep(enhancer.poll())) {
        }
    }
    while (keep(enhancer.drain())) {
    }
    seconds = cpu_s() - begin;
    counts = enhancer.counts();
    return outputs;
}

void print(const char* name, double seconds, const ReuseCounts& counts, const std::vector<double>& levels) {
    const auto frames = static_cast<double>(counts.frames);
    std::printf(
        ",\n \"%s\": {\"cpu_s\": %.3f, \"share\": %.4f, \"whole_frames\": %lld, \"checks\": %lld, "
        "\"check_error\": %.3f, \"worst_check\": %.3f, \"tightened\": %lld, \"psnr\": [",
        name, seconds, counts.computed_frames / frames, static_cast<long long>(counts.whole_frames),
        static_cast<long long>(counts.checks),
        counts.checks > 0 ? counts.check_errors / static_cast<double>(counts.checks) : 0, counts.worst_error,
        static_cast<long long>(counts.tightened));
    for (std::size_t i = 0; i < levels.size(); ++i) {
        std::printf("%s%.2f", i == 0 ? "" : ", ", levels[i]);
    }
    std::printf("]}");
}

Reuse reuse_called(const std::string& name) {
    return name == "exact" ? Reuse::exact : name == "fast" ? Reuse::fast : Reuse::safe;
}

std::vector<at::Tensor> frames_of(std::FILE* file, Size size) {
    std::vector<at::Tensor> frames;
    std::vector<unsigned char> bytes(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3);
    while (std::fread(bytes.data(), 1, bytes.size(), file) == bytes.size()) {
        const at::Tensor packed = at::from_blob(bytes.data(), {size.height, size.width, 3}, at::kByte);
        frames.push_back((packed.to(at::kFloat) / kWhite).permute({2, 0, 1}).contiguous());
    }
    return frames;
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() < 5) {
        std::fputs("usage: reuse_frames MODEL SCALE WIDTH HEIGHT exact|safe|fast... < frames.rgb24\n", stderr);
        return 2;
    }
    const c10::InferenceMode inference;
    Setting setting{load_model(arguments[0], std::stoi(arguments[1])), {}, {}};
    setting.executor.threads = usable_cpus();
    setting.executor.requests = setting.executor.threads;
    setting.frame = {std::stoi(arguments[2]), std::stoi(arguments[3])};
    resolve_backend(setting.executor);
    const std::vector<at::Tensor> inputs = frames_of(stdin, setting.frame);
    double whole_s = 0;
    ReuseCounts counts;
    const auto whole = enhanced(setting, std::nullopt, inputs, whole_s, counts);
    std::printf("{\"frames\": %zu, \"off_cpu_s\": %.3f", inputs.size(), whole_s);
    for (std::size_t i = 4; i < arguments.size(); ++i) {
        const Network& network = setting.model.network;
        const ReuseSettings reuse =
            reuse_settings(reuse_called(arguments[i]), network.receptive_radius, network.alignment, true);
        double seconds = 0;
        const auto reused = enhanced(setting, reuse, inputs, seconds, counts);
        std::vector<double> levels;
        for (std::size_t j = 0; j < reused.size(); ++j) {
            levels.push_back(psnr(reused[j], whole[j]));
        }
        print(arguments[i].c_str(), seconds, counts, levels);
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
