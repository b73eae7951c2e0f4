#include "pipeline/calibration.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/cpu.h"
#include "base/sha256.h"
#include "frame/convert.h"
#include "millstream/error.h"
#include "model/quantise.h"
#include "pipeline/plan_words.h"
#include "verify/words.h"

namespace millstream {
namespace {

// A video's beginning is often black.
constexpr std::array<double, 8> kPlaces{0.02, 0.1, 0.24, 0.38, 0.52, 0.66, 0.8, 0.92};
constexpr int kSteps = 4;   // positions tried along each side

at::Tensor tensor_of(const Picture& picture, const VideoStreamInfo& video) {
    const Colour colour = resolve_colour(picture.colour, video.format, video.height);
    at::Tensor tensor = at::empty({3, video.height, video.width}, at::kFloat);
    PictureToTensor(video.format, colour, video.width, video.height).convert(picture, tensor);
    return tensor;
}

// Differences between neighbours, not variance: a gradient has no detail.
double detail_of(const at::Tensor& part) {
    const std::int64_t width = part.size(2);
    return (part.narrow(2, 1, width - 1) - part.narrow(2, 0, width - 1)).abs().mean().item<double>();
}

std::int64_t cut_length(std::int64_t length, int side, int alignment) {
    return std::min<std::int64_t>(length, side) / alignment * alignment;
}

at::Tensor most_detailed(const at::Tensor& picture, int side, int alignment) {
    const std::int64_t height = cut_length(picture.size(1), side, alignment);
    const std::int64_t width = cut_length(picture.size(2), side, alignment);
    at::Tensor best;
    double most = -1;
    for (std::int64_t row = 0; row < kSteps; ++row) {
        for (std::int64_t column = 0; column < kSteps; ++column) {
            const at::Tensor part = picture.narrow(1, row * (picture.size(1) - height) / (kSteps - 1), height)
                                        .narrow(2, column * (picture.size(2) - width) / (kSteps - 1), width);
            if (const double detail = detail_of(part); detail > most) {
                most = detail;
                best = part;
            }
        }
    }
    return best.unsqueeze(0).clone();   // lets the rest of the picture go
}

std::optional<Picture> picture_at(const SourceInfo& source, DecoderSettings settings, double start_s) {
    settings.start_s = start_s;
    try {
        return VideoDecoder(source, settings).next();
    } catch (const Error&) {   // a damaged place; the job itself will tell
        return std::nullopt;
    }
}

// Fitting runs the network some twenty times on four such squares: some seconds, for large networks minutes.
int sample_side(const Network& network) {
    constexpr double kMacs = 1.5e10;
    constexpr double kLeast = 64;
    constexpr double kMost = 160;
    const double affordable = std::sqrt(kMacs / std::max(1.0, network.macs_per_pixel));
    return static_cast<int>(std::clamp(affordable, kLeast, kMost));
}

std::string decibels(double value) {
    return fixed(value, 1) + " dB";
}

}   // namespace

Samples take_samples(const SourceInfo& source, const DecoderSettings& settings, int side, int alignment) {
    const VideoStreamInfo& video = *source.video().video;
    const double duration_s = source.video().duration_s > 0 ? source.video().duration_s : source.duration_s;
    Samples samples;
    bool watch = true;
    for (const double place : kPlaces) {
        if (const auto picture = picture_at(source, settings, place * duration_s)) {
            (watch ? samples.watched : samples.held_back)
                .push_back(most_detailed(tensor_of(*picture, video), side, alignment));
            watch = !watch;
        }
        if (duration_s <= 0) {
            break;
        }
    }
    if (samples.watched.empty()) {
        throw Error(ErrorKind::input, {"taking samples of the video for int8", source.path.string(),
                                       "not a single frame could be decoded", "The file is damaged"});
    }
    if (samples.held_back.empty()) {
        samples.held_back = samples.watched;
    }
    return samples;
}

std::string fit_to_int8(PreparedJob& job, const std::stop_token& stop) {
    const Network& network = job.model->network;
    DecoderSettings decoding;
    decoding.threads = usable_cpus();
    decoding.deinterlacing = job.deinterlacing;
    decoding.crop = job.crop;
    const Samples samples = take_samples(job.source, decoding, sample_side(network), network.alignment);
    Int8Choice choice = quantise(network, job.executor, samples.watched, samples.held_back, stop);
    const std::string base = words(base_precision());
    if (!choice.network) {
        job.executor.precision = base_precision();
        const std::string why = choice.psnr > 0
                                    ? "on pictures of this video it would come to " + decibels(choice.psnr) +
                                          " only, " + decibels(kLeastInt8Psnr) + " are asked for"
                                    : "the network has too little that could work in integers";
        return "int8 is not used: " + why + ". The network runs in " + base + ".";
    }
    auto fitted = std::make_shared<LoadedModel>(*job.model);   // the one on the shelf stays as it is
    fitted->network = std::move(*choice.network);
    job.model = std::move(fitted);
    return std::to_string(choice.chosen) + " of " + std::to_string(choice.candidates) +
           " inner convolutions work in 8-bit integers, " + std::to_string(static_cast<int>(100 * choice.share)) +
           " % of the work: " + decibels(choice.psnr) + " to " + base + " on pictures of this video.";
}

std::string int8_digest(const Network& network) {
    std::vector<float> steps;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        if (const auto& int8 = network.nodes[i].int8) {
            steps.insert(steps.end(), {static_cast<float>(i), int8->low, int8->high});
        }
    }
    return steps.empty() ? "" : sha256_of(std::as_bytes(std::span(steps)));
}

}   // namespace millstream
