// What the parts of a job cost on their own: `stage_costs decode|infer|encode IN MODEL FRAMES [PRECISION]`.
// Prints one JSON object with frames, wall and CPU seconds. bench/run.py compares their sum with a whole job.
#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "enhance/enhancer.h"
#include "frame/convert.h"
#include "media/decoder.h"
#include "media/output.h"
#include "millstream/error.h"
#include "pipeline/planner.h"
#include "resource/memory.h"

namespace millstream {
namespace {

class Stopwatch {
public:
    void print(std::int64_t frames) const {
        const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        std::printf("{\"frames\": %lld, \"wall_s\": %.4f, \"cpu_s\": %.4f}\n", static_cast<long long>(frames), wall,
                    process_cpu_seconds() - cpu_);
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    double cpu_ = process_cpu_seconds();
};

std::vector<Picture> decode(const PreparedJob& job, std::int64_t frames, bool keep) {
    VideoDecoder decoder(job.source, {.threads = usable_cpus(), .hwaccel = ""});
    std::vector<Picture> pictures;
    for (std::int64_t i = 0; i < frames; ++i) {
        auto picture = decoder.next();
        if (!picture) {
            break;
        }
        if (keep) {
            pictures.push_back(*std::move(picture));
        }
    }
    return pictures;
}

std::vector<at::Tensor> tensors(const PreparedJob& job, std::int64_t count) {
    const VideoStreamInfo& video = *job.source.video().video;
    std::vector<at::Tensor> result;
    for (const Picture& picture : decode(job, count, true)) {
        PictureToTensor convert(video.format, resolve_colour(picture.colour, video.format, video.height), video.width,
                                video.height);
        result.push_back(at::empty({3, video.height, video.width}, at::kFloat));
        convert.convert(picture, result.back());
    }
    return result;
}

void infer(const PreparedJob& job, std::int64_t frames) {
    const VideoStreamInfo& video = *job.source.video().video;
    const int scale = job.model->network.scale;
    const auto inputs = tensors(job, 8);
    const auto executor = make_executor(job.model->network, job.executor);
    Enhancer enhancer(*executor, scale, job.memory.layout);
    std::vector<at::Tensor> outputs;
    const std::size_t slots = executor->requests() + 1;
    for (std::size_t i = 0; i < slots; ++i) {
        outputs.push_back(at::empty({3, video.height * scale, video.width * scale}, at::kFloat));
    }
    const auto run = [&](std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            const auto n = static_cast<std::size_t>(i);
            enhancer.submit({i, inputs[n % inputs.size()], outputs[n % slots]});
            enhancer.poll();
        }
        while (enhancer.drain()) {
        }
    };
    run(static_cast<std::int64_t>(executor->requests()));   // compiles
    const Stopwatch watch;
    run(frames);
    watch.print(frames);
}

void encode(const PreparedJob& job, std::int64_t frames, const std::filesystem::path& path) {
    const VideoStreamInfo& video = *job.source.video().video;
    TensorToPicture convert(video.width, video.height, job.encoder.format, job.encoder.colour, job.encoder.width,
                            job.encoder.height);
    PicturePool pool(job.encoder.format, job.encoder.width, job.encoder.height);
    std::vector<Picture> pictures;
    const auto sources = decode(job, frames, true);
    for (const Picture& source : sources) {
        PictureToTensor to_tensor(video.format, resolve_colour(source.colour, video.format, video.height), video.width,
                                  video.height);
        at::Tensor tensor = at::empty({3, video.height, video.width}, at::kFloat);
        to_tensor.convert(source, tensor);
        Picture picture = pool.take();
        convert.convert(tensor, picture);
        picture.pts = source.pts;
        picture.duration = source.duration;
        pictures.push_back(picture);
    }
    VideoOutput output({.path = path, .container = job.plan.container, .encoder = job.encoder, .carried = {}},
                       job.source);
    const Stopwatch watch;
    for (const Picture& picture : pictures) {
        output.write(picture);
    }
    output.end();
    output.finish();
    watch.print(static_cast<std::int64_t>(pictures.size()));
    std::filesystem::remove(path);
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() < 5) {
        std::fputs("usage: stage_costs decode|infer|encode IN OUT.mp4 MODEL FRAMES [fp32|bf16]\n", stderr);
        return 2;
    }
    const c10::InferenceMode inference;
    Options options;
    options.input = arguments[1];
    options.output = arguments[2];
    options.overwrite = true;
    options.model = arguments[3];
    options.scale = options.model == "identity" ? 1 : 2;
    if (arguments.size() > 5) {
        options.precision = arguments[5] == "bf16" ? Precision::bf16 : Precision::fp32;
    }
    const std::int64_t frames = std::stoll(arguments[4]);
    const PreparedJob job = prepare(options);
    if (arguments[0] == "decode") {
        const Stopwatch watch;
        decode(job, frames, false);
        watch.print(frames);
    } else if (arguments[0] == "infer") {
        infer(job, frames);
    } else {
        encode(job, frames, options.output);
    }
    return 0;
}

}   // namespace
}   // namespace millstream

int main(int argc, char** argv) {
    try {
        return millstream::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "stage_costs: %s\n", error.what());
        return 1;
    }
}
