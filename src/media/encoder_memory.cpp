// What an encoder needs in host memory and how long it keeps frames back.
//
// Note [Encoder memory]
// Measured as VmHWM less what was resident before the encoder was opened, FFmpeg 5.1.9, x264 core 164, x265 3.5,
// SVT-AV1 1.4.1, two cores, 2026-11; tests/media/encoder_memory_test.cpp measures again. MiB:
//   x264 medium (lookahead / threads / references / B-frames), 8-bit 4:2:0
//              40/2/3/3  20/2/3/3  10/2/3/3  0/2/3/3  0/1/3/3  0/1/1/0  40/8/3/3  40/16/3/3
//     640x360       57        39        31       24                 11        70
//     1280x720     186       126        97       75       54        28
//     1920x1080    387       259       197      151      108        51       502       662
//     3840x2160   1434       946       704      532                161
//     7680x4320                       2747     2047     1479       610   (0/2/1/0: 874)
//     1280x720, 40/2/3/3: 10-bit 4:2:0 332, 8-bit 4:4:4 310, 10-bit 4:4:4 572
//   x265 medium (lookahead 20)  640x360 81, 1280x720 199, 1920x1080 381; at 720p lookahead 40 281, 10 158, 5 135;
//                               10-bit 325, 4:4:4 274
//   SVT-AV1 preset 8            640x360 88, 1280x720 233, 1920x1080 482 (lp=1: 68, 179, 354); at 720p preset 4 345,
//                               6 252, 12 198, lookahead <= 10 162, 10-bit 358
// The formulas count what the encoders allocate, with factors fitted to 76 (x264) and 24 (x265) such runs: between 0.86
// and 1.23 of the measured figure before the margin of kMargin. x264 keeps of each waiting frame its planes, a
// half-size copy in four phases, and motion vectors of the lookahead; of each reference its planes, three interpolated
// luma planes (all planes in 4:4:4) and vectors; every frame thread holds a reference more. SVT-AV1 allocates by cores:
// beyond two it is extrapolated, on the high side.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "media/av.h"
#include "media/encoder_options.h"
#include "media/encoding.h"

namespace millstream {
namespace {

constexpr double kMargin = 1.18;

// The settings with the preset's figures filled in.
PresetFigures figures(const EncoderSettings& settings) {
    PresetFigures result = figures_of(settings.encoder, settings.preset);
    result.lookahead = settings.lookahead >= 0 ? settings.lookahead : result.lookahead;
    result.references = settings.references >= 0 ? settings.references : result.references;
    result.b_frames = settings.b_frames >= 0 ? settings.b_frames : result.b_frames;
    return result;
}

double padded_pixels(const EncoderSettings& settings, int padding) {
    return static_cast<double>(settings.width + padding) * (settings.height + padding);
}

// Bytes a pixel: of all planes, and of the luma plane.
double picture_weight(const PixelFormat& format) {
    const double chroma = format.colour_planes() == 1 ? 0.0 : 2.0;
    const int shift = format.family == ColourFamily::yuv ? format.chroma_shift_x + format.chroma_shift_y : 0;
    return format.bytes_per_sample() * (1 + chroma / (1 << shift));
}

bool has_full_chroma(const PixelFormat& format) {
    return format.colour_planes() == 3 && format.chroma_shift_x == 0 && format.chroma_shift_y == 0;
}

double x264_memory(const EncoderSettings& settings) {
    const PresetFigures with = figures(settings);
    const double picture = picture_weight(settings.format);
    const double luma = settings.format.bytes_per_sample();
    constexpr double kPixelsOfMacroblock = 256;
    const double b = with.b_frames;
    const double lookahead_vectors = (16 * (b + 1) + 2 * (b + 2) * (b + 2)) / kPixelsOfMacroblock;
    const double waiting = picture + luma + lookahead_vectors;
    const double interpolated = 3 * luma * (has_full_chroma(settings.format) ? 3 : 1);
    const double reference = picture + interpolated + 128 / kPixelsOfMacroblock;
    // What the stream declares: B-pyramids need four (x264, encoder/set.c).
    const int references = std::max(with.references, b > 1 ? 4 : b > 0 ? 2 : 1);
    return 8e6 + padded_pixels(settings, 64) * (1.04 * waiting * encoder_delay(settings) +
                                                1.14 * reference * (references + settings.threads) + 2.8 * picture);
}

double x265_memory(const EncoderSettings& settings) {
    const PresetFigures with = figures(settings);
    const double picture = picture_weight(settings.format);
    const double luma = settings.format.bytes_per_sample();
    const int frame_threads = x265_frame_threads(settings.threads);
    const double references = with.references + with.b_frames / 2.0 + frame_threads;
    return 34e6 + padded_pixels(settings, 160) * (1.36 * (picture + luma) * encoder_delay(settings) +
                                                  picture * (3.0 * references + 7.0 * frame_threads));
}

int svt_preset(const EncoderSettings& settings) {
    const auto preset = number_in_extra(settings, {"preset"});
    return preset ? *preset : std::atoi(settings.preset.c_str());
}

bool has_short_svt_lookahead(const EncoderSettings& settings) {
    return settings.lookahead >= 0 && settings.lookahead <= 10;
}

double svt_memory(const EncoderSettings& settings) {
    const int preset = svt_preset(settings);
    const double slower = preset <= 3 ? 1.9 : preset <= 5 ? 1.5 : preset <= 7 ? 1.1 : 1.0;
    const double deeper = settings.format.depth > 8 ? 1.55 : 1.0;
    const double shorter = has_short_svt_lookahead(settings) ? 0.75 : 1.0;
    const double pictures = settings.threads <= 1 ? 92 : 127 + 24 * (std::min(settings.threads, 24) - 2);
    return 25e6 + padded_pixels(settings, 160) * 1.5 * pictures * slower * deeper * shorter;
}

// Nothing measured. Software: as many frames as any lookahead and reference list we know of. On a device: its runtime.
double unknown_memory(const EncoderSettings& settings) {
    const AVCodec* codec = avcodec_find_encoder_by_name(settings.encoder.c_str());
    const bool on_device = codec != nullptr && (codec->capabilities & AV_CODEC_CAP_HARDWARE) != 0;
    const double picture = padded_pixels(settings, 160) * picture_weight(settings.format);
    return on_device ? 300e6 + 16 * picture : 64e6 + (90 + 6 * std::max(settings.threads, 1)) * picture;
}

// What may be lowered, and to which values, in the order of what it costs: lookahead costs bits, threads time,
// B-frames and references bits again, more of them.
struct Step {
    std::string name;   // as in "40 frames of lookahead"
    int EncoderSettings::*setting;
    int PresetFigures::*preset_figure;    // nullptr = the setting is always resolved
    std::vector<std::string> pinned_by;   // options of the user
    std::vector<int> values;              // falling; empty = halved down to 1
};

std::vector<Step> steps_for(const EncoderSettings& settings) {
    const Step threads{"encoder threads", &EncoderSettings::threads, nullptr, {"threads", "lp", "pools"}, {}};
    const Step b_frames{"B-frames", &EncoderSettings::b_frames, &PresetFigures::b_frames, {"bf", "bframes"}, {0}};
    const Step references{
        "reference pictures", &EncoderSettings::references, &PresetFigures::references, {"refs", "ref"}, {2, 1}};
    const auto lookahead = [](std::vector<int> values) {
        return Step{"frames of encoder lookahead",
                    &EncoderSettings::lookahead,
                    &PresetFigures::lookahead,
                    {"rc-lookahead", "lookahead"},
                    std::move(values)};
    };
    if (is_x264(settings.encoder)) {
        return {lookahead({20, 10, 0}), threads, b_frames, references};
    }
    if (settings.encoder == "libx265") {   // its lookahead must exceed its B-frames
        return {lookahead({10, std::max(5, figures(settings).b_frames + 1)}), threads, b_frames, references};
    }
    if (settings.encoder == "libsvtav1") {
        return {lookahead({10}), threads};
    }
    return {threads};
}

bool lower_once(EncoderSettings& settings, const Step& step) {
    int& value = settings.*step.setting;
    const int now = value >= 0 || step.preset_figure == nullptr ? value : figures(settings).*step.preset_figure;
    if (step.values.empty()) {
        value = std::max(now / 2, 1);
        return value < now;
    }
    for (const int lower : step.values) {
        if (lower < now) {
            value = lower;
            return true;
        }
    }
    return false;
}

}   // namespace

std::uint64_t encoder_memory(const EncoderSettings& settings) {
    const double bytes = is_x264(settings.encoder)         ? x264_memory(settings)
                         : settings.encoder == "libx265"   ? x265_memory(settings)
                         : settings.encoder == "libsvtav1" ? svt_memory(settings)
                                                           : unknown_memory(settings);
    return static_cast<std::uint64_t>(bytes * kMargin);
}

int encoder_delay(const EncoderSettings& settings) {
    const PresetFigures with = figures(settings);
    const int threads = std::max(settings.threads, 1);
    if (is_x264(settings.encoder)) {
        // x264_encoder_open: the lookahead or the B-frames, frame threads, the lookahead thread's own queue, vfr input.
        const int synchronised = threads > 1 ? with.b_frames + 1 : 0;
        return std::max(with.lookahead, with.b_frames) + threads - 1 + synchronised + 1;
    }
    if (settings.encoder == "libx265") {
        return with.lookahead + with.b_frames + x265_frame_threads(threads) + 2;
    }
    if (settings.encoder == "libsvtav1") {
        return has_short_svt_lookahead(settings) ? 24 : 64;   // measured 20, and 37 (preset 8) to 41 (preset 4)
    }
    return 64 + threads;
}

int pictures_held_by_encoder(const EncoderSettings& settings) {
    const bool copies = is_x264(settings.encoder) || settings.encoder == "libx265" || settings.encoder == "libsvtav1";
    return copies ? 0 : encoder_delay(settings);
}

double predicted_video_bytes_per_s(const EncoderSettings& settings) {
    // Bits a pixel. Measured on thirteen real clips at their own size: 0.04-0.27 at x264 and x265 crf 18,
    // 0.02-0.20 at SVT-AV1 crf 23; noise and a few very short clips go to 0.3-1.1. Enlarged pictures take less.
    const bool av1 = settings.encoder == "libsvtav1" || settings.encoder.find("av1") != std::string::npos ||
                     settings.encoder.find("vp9") != std::string::npos;
    const double at_default = av1 ? 0.22 : 0.30;
    const double halving = av1 ? 8.0 : 6.0;   // crf steps that halve the rate
    const double quality = std::pow(2.0, ((av1 ? 23 : 18) - settings.crf) / halving);
    const double chroma = has_full_chroma(settings.format) ? 1.3 : settings.format.chroma_shift_y == 0 ? 1.15 : 1.0;
    const double depth = settings.format.depth > 8 ? 1.1 : 1.0;
    const double pixels = static_cast<double>(settings.width) * settings.height;
    // Nothing compressed with loss is larger than its pictures.
    const double bits = std::min(at_default * quality * chroma * depth, 8.0 * picture_weight(settings.format));
    return pixels * settings.frame_rate.value() * bits / 8;
}

void fit_into_memory(EncoderSettings& settings, std::uint64_t memory_budget, std::vector<std::string>& notes) {
    for (const Step& step : steps_for(settings)) {
        if (number_in_extra(settings, step.pinned_by)) {
            continue;
        }
        const EncoderSettings before = settings;
        while (encoder_memory(settings) > memory_budget && lower_once(settings, step)) {
        }
        if (settings.*step.setting != before.*step.setting) {
            const bool resolved = before.*step.setting >= 0 || step.preset_figure == nullptr;
            const int was = resolved ? before.*step.setting : figures(before).*step.preset_figure;
            notes.push_back(std::to_string(settings.*step.setting) + " " + step.name + " instead of " +
                            std::to_string(was) + ", so that the encoder needs about " +
                            format_bytes(encoder_memory(settings)) + " of memory instead of " +
                            format_bytes(encoder_memory(before)) + ".");
        }
    }
    if (encoder_memory(settings) > memory_budget) {
        notes.push_back("Even so the encoder needs about " + format_bytes(encoder_memory(settings)) +
                        ", more than the " + format_bytes(memory_budget) + " left for it.");
    }
}

}   // namespace millstream
