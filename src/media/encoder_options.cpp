#include "media/encoder_options.h"

extern "C" {
#include <libavutil/cpu.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "media/parameter_sets.h"
#include "media/side_data.h"

namespace millstream {
namespace {

struct NamedFigures {
    std::string_view preset;
    PresetFigures figures;
};

constexpr std::array<NamedFigures, 10> kX264{{{"ultrafast", {0, 1, 0}},
                                              {"superfast", {0, 1, 3}},
                                              {"veryfast", {10, 1, 3}},
                                              {"faster", {20, 2, 3}},
                                              {"fast", {30, 2, 3}},
                                              {"medium", {40, 3, 3}},
                                              {"slow", {50, 5, 3}},
                                              {"slower", {60, 8, 3}},
                                              {"veryslow", {60, 16, 8}},
                                              {"placebo", {60, 16, 16}}}};

constexpr std::array<NamedFigures, 10> kX265{{{"ultrafast", {5, 1, 3}},
                                              {"superfast", {10, 1, 3}},
                                              {"veryfast", {15, 2, 4}},
                                              {"faster", {15, 2, 4}},
                                              {"fast", {15, 3, 4}},
                                              {"medium", {20, 3, 4}},
                                              {"slow", {25, 4, 4}},
                                              {"slower", {40, 5, 8}},
                                              {"veryslow", {40, 5, 8}},
                                              {"placebo", {60, 5, 8}}}};

void add_quality(OptionList& options, const EncoderSettings& settings, const AVCodec& codec) {
    const std::string quality = std::to_string(settings.crf);
    if (has_private_option(codec, "crf")) {
        options.emplace_back("crf", quality);
        options.emplace_back("b", "0");             // libvpx and libaom take crf as a bound beside a bit rate otherwise
    } else if (has_private_option(codec, "cq")) {   // NVENC
        options.emplace_back("rc", "vbr");
        options.emplace_back("cq", quality);
        options.emplace_back("b", "0");
    } else if (has_private_option(codec, "qp")) {   // VAAPI
        options.emplace_back("qp", quality);
    } else if ((avcodec_descriptor_get(codec.id)->props & AV_CODEC_PROP_LOSSY) != 0) {
        options.emplace_back("global_quality", std::to_string(settings.crf * FF_QP2LAMBDA));
        options.emplace_back("flags", "+qscale");
    }
}

// Note [Rate bounds and threads]
// Under a rate bound x264 (core 164) and SVT-AV1 (1.4.1) look at what their other frame threads happen to have
// finished, and six runs of one job gave six different streams. With one frame thread they repeat. Only jobs whose size
// has to be bounded pay for it; x265 (3.5) repeats as it is, and is held to one frame thread all the same.
int frame_threads(const EncoderSettings& settings) {
    if (settings.max_rate > 0) {
        return 1;
    }
    return settings.encoder == "libx265" ? x265_frame_threads(settings.threads) : settings.threads;
}

void add_rate_limit(OptionList& options, const EncoderSettings& settings) {
    if (settings.max_rate > 0) {
        options.emplace_back("maxrate", std::to_string(settings.max_rate));
        options.emplace_back("bufsize", std::to_string(settings.max_buffer));
    }
    if (settings.level > 0 && is_x264(settings.encoder)) {
        options.emplace_back("level", settings.level == kLevel1b ? "1b"
                                                                 : std::to_string(settings.level / 10) + "." +
                                                                       std::to_string(settings.level % 10));
    }
}

// What x264, x265 and SVT-AV1 call the static HDR metadata, which libavcodec does not hand them before FFmpeg 7.
OptionList hdr_parameters(const EncoderSettings& settings) {
    OptionList list;
    const bool decimals = settings.encoder == "libsvtav1";
    if (settings.hdr.display) {
        const char* name = settings.encoder == "libx265" ? "master-display" : "mastering-display";
        list.emplace_back(
            name, decimals ? mastering_in_decimals(*settings.hdr.display) : mastering_in_units(*settings.hdr.display));
    }
    if (settings.hdr.light) {
        const char* name = settings.encoder == "libx265" ? "max-cll" : decimals ? "content-light" : "cll";
        list.emplace_back(name, light_words(*settings.hdr.light));
    }
    return list;
}

// Note [x264 and AVX-512]
// With AVX-512 x264 (core 164) does not repeat itself: from the second encoder of a process on, four runs of one job
// gave four streams, whatever the threads and the rate, and one where B-frames or the macroblock tree were off. An
// interrupted job would not end as an uninterrupted one. Without AVX-512 it takes as long: 10.2 s instead of 10.4 s
// (848x480, medium, medians of three runs in turns).
bool must_do_without_avx512() {
    return (av_get_cpu_flags() & AV_CPU_FLAG_AVX512) != 0;
}

// Options inside the one option of x264, x265 and SVT-AV1, which have no others for these.
std::string own_parameters(const EncoderSettings& settings) {
    OptionList list;
    const bool one_thread = settings.max_rate > 0 && settings.encoder == "libsvtav1";
    const std::string threads = std::to_string(one_thread ? 1 : settings.threads);
    const std::string lookahead = std::to_string(settings.lookahead);
    if (is_x264(settings.encoder)) {
        list = {{"stitchable", "1"}};   // the same parameter sets in every chunk, whatever its rate
        if (must_do_without_avx512()) {
            list.emplace_back("asm", "avx2");
        }
    } else if (settings.encoder == "libx265") {
        list = {{"log-level", "none"}, {"pools", threads}};
        if (settings.level > 0) {
            constexpr int kLevelUnit = 30;
            list.emplace_back("level-idc", std::to_string(settings.level * 10 / kLevelUnit));
        }
        if (settings.lookahead >= 0) {
            list.emplace_back("rc-lookahead", lookahead);
        }
    } else if (settings.encoder == "libsvtav1") {
        list = {{"lp", threads}};
        if (settings.lookahead >= 0) {
            list.emplace_back("lookahead", lookahead);
        }
    }
    if (!traits_of(settings.encoder).parameters_option.empty()) {
        const OptionList hdr = hdr_parameters(settings);
        list.insert(list.end(), hdr.begin(), hdr.end());
    }
    std::string text;
    for (const auto& [name, value] : list) {
        text += (text.empty() ? "" : ":") + name + "=" + value;
    }
    return text;
}

}   // namespace

EncoderTraits traits_of(const std::string& encoder) {
    if (encoder == "libx264" || encoder == "libx264rgb") {
        return {"medium", 18, "x264-params"};
    }
    if (encoder == "libx265") {
        return {"medium", 18, "x265-params"};
    }
    if (encoder == "libsvtav1") {
        return {"8", 23, "svtav1-params"};
    }
    return {};
}

std::vector<std::string> preset_names(const std::string& encoder) {
    std::vector<std::string> names;
    if (encoder == "libx264" || encoder == "libx264rgb" || encoder == "libx265") {
        for (const NamedFigures& row : kX264) {   // both have the same ten
            names.emplace_back(row.preset);
        }
    }
    return names;
}

PresetFigures figures_of(const std::string& encoder, const std::string& preset) {
    const auto& table = encoder == "libx265" ? kX265 : kX264;
    const auto* found =
        std::find_if(table.begin(), table.end(), [&](const NamedFigures& row) { return row.preset == preset; });
    if (found != table.end()) {
        return found->figures;
    }
    return encoder == "libx265" ? PresetFigures{20, 3, 4} : PresetFigures{};
}

bool is_x264(const std::string& encoder) {
    return encoder == "libx264" || encoder == "libx264rgb";
}

// x264's frame threads wait for rows of one another, so that its own default is half as many again as there are
// processors. Two processors are idle for a sixth of the time with these three; 1500 frames of 640x360, identity
// network, medium, medians of three: three threads 17.2 s, four 15.0 s, six 15.1 s. Six make the file 0.9 % larger at
// the same SSIM, four nothing.
int threads_of(const std::string& encoder, int processors) {
    constexpr int kMostOfX264 = 128;
    if (!is_x264(encoder) || processors == 1) {
        return processors;
    }
    return std::min(std::max(processors + 2, processors * 3 / 2), kMostOfX264);
}

int x265_frame_threads(int pool) {
    return pool >= 32 ? 5 : pool >= 16 ? 4 : pool >= 8 ? 3 : pool >= 4 ? 2 : 1;
}

bool has_private_option(const AVCodec& codec, const char* name) {
    const AVClass* options = codec.priv_class;
    return options != nullptr && av_opt_find(&options, name, nullptr, 0, AV_OPT_SEARCH_FAKE_OBJ) != nullptr;
}

OptionList encoder_options(const EncoderSettings& settings, const AVCodec& codec) {
    const std::string inner = traits_of(settings.encoder).parameters_option;
    OptionList options;
    options.emplace_back("threads", std::to_string(frame_threads(settings)));
    if (!settings.preset.empty()) {
        options.emplace_back("preset", settings.preset);
    }
    add_quality(options, settings, codec);
    if (settings.lookahead >= 0 && has_private_option(codec, "rc-lookahead")) {
        options.emplace_back("rc-lookahead", std::to_string(settings.lookahead));
        if (settings.lookahead == 0 && has_private_option(codec, "mbtree")) {
            options.emplace_back("mbtree", "0");   // it works by looking ahead
        }
    }
    add_rate_limit(options, settings);
    if (settings.references >= 0) {
        options.emplace_back("refs", std::to_string(settings.references));
    }
    if (settings.b_frames >= 0) {
        options.emplace_back("bf", std::to_string(settings.b_frames));
    }
    std::string parameters = own_parameters(settings);
    for (const auto& [name, value] : settings.extra) {
        if (name == inner) {
            parameters += (parameters.empty() ? "" : ":") + value;   // the last of two wins in all three encoders
        }
    }
    if (!parameters.empty()) {
        options.emplace_back(inner, parameters);
    }
    for (const auto& option : settings.extra) {
        if (option.first != inner) {
            options.push_back(option);
        }
    }
    return options;
}

std::optional<int> number_in_extra(const EncoderSettings& settings, const std::vector<std::string>& names) {
    std::optional<int> number;
    const auto look = [&](std::string_view name, std::string_view value) {
        int parsed = 0;
        const bool named = std::find(names.begin(), names.end(), name) != names.end();
        if (named && std::from_chars(value.data(), value.data() + value.size(), parsed).ec == std::errc()) {
            number = parsed;
        }
    };
    const std::string inner = traits_of(settings.encoder).parameters_option;
    for (const auto& [name, value] : settings.extra) {
        look(name, value);
        if (name != inner) {
            continue;
        }
        for (std::string_view rest = value; !rest.empty();) {
            const std::string_view item = rest.substr(0, rest.find(':'));
            const std::size_t equals = item.find('=');
            if (equals != std::string_view::npos) {
                look(item.substr(0, equals), item.substr(equals + 1));
            }
            rest.remove_prefix(std::min(rest.size(), item.size() + 1));
        }
    }
    return number;
}

}   // namespace millstream
