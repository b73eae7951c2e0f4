#include "config/option_table.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <tuple>

#include "config/values.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using Text = std::string_view;

std::string number(int value) {
    return std::to_string(value);
}
template <class T>
std::string number(const std::optional<T>& value) {
    return value ? std::to_string(*value) : "";
}
std::string number_or_auto(int value) {
    return value == 0 ? "auto" : std::to_string(value);
}
std::string text_of(const std::optional<Size>& size) {
    return size ? millstream::text_of(*size) : "";
}
std::string percent(double share) {
    std::ostringstream text;
    text << share * 100;
    return text.str();
}
// Paths, a line each: every other character may be part of one.
std::vector<std::filesystem::path> files_of(Text text) {
    std::vector<std::filesystem::path> files;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        files.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return files;
}
std::string text_of(const std::vector<std::filesystem::path>& files) {
    std::string text;
    for (const std::filesystem::path& file : files) {
        text += (text.empty() ? "" : "\n") + file.string();
    }
    return text;
}
std::string tile_text(const std::optional<int>& tile) {
    return !tile ? "auto" : *tile == 0 ? "off" : std::to_string(*tile);
}

// A field whose type has a parse function of the text alone, and a text_of().
#define MILLSTREAM_WORD(field, flag, values, parse)                                                           \
    OptionEntry {                                                                                             \
#field, flag, values,                                                                                 \
            [](Options & o,                                                                                   \
               Text t) { o.field = parse(t); }, [](const Options& o) { return millstream::text_of(o.field); } \
    }
#define MILLSTREAM_TEXT(field, flag, values)                                                                     \
    OptionEntry {                                                                                                \
#field, flag, values, [](Options & o, Text t) { o.field = t; }, [](const Options& o) { return o.field; } \
    }
#define MILLSTREAM_SWITCH(field, flag)                                                                                 \
    OptionEntry {                                                                                                      \
#field, flag, "true|false",                                                                                    \
            [](Options & o,                                                                                            \
               Text                                                                                                    \
                   t) { o.field = parse_switch(flag, t); },                                                            \
                                                         [](const Options&                                             \
                                                                o) { return std::string(o.field ? "true" : "false"); } \
    }
#define MILLSTREAM_NUMBER(field, flag, smallest, largest)                                                             \
    OptionEntry {                                                                                                     \
#field, flag, #smallest ".." #largest,                                                                        \
            [](Options & o,                                                                                           \
               Text t) { o.field = parse_number(flag, t, smallest, largest); }, [](const Options&                     \
                                                                                       o) { return number(o.field); } \
    }
#define MILLSTREAM_SIZE(field, flag)                                                                                   \
    OptionEntry {                                                                                                      \
#field, flag, "WxH",                                                                                           \
            [](Options & o, Text t) { o.field = parse_size(flag, t); },                                                \
                                                                     [](const Options& o) { return text_of(o.field); } \
    }
#define MILLSTREAM_BYTES(field, flag)                                                                         \
    OptionEntry {                                                                                             \
#field, flag, "bytes",                                                                                \
            [](Options & o,                                                                                   \
               Text t) { o.field = parse_memory(flag, t); }, [](const Options& o) { return number(o.field); } \
    }
#define MILLSTREAM_STREAMS(field, flag)                                                                            \
    OptionEntry {                                                                                                  \
#field, flag, "all|none|N,...",                                                                            \
            [](Options & o,                                                                                        \
               Text t) { o.field = parse_selection(flag, t); }, [](const Options&                                  \
                                                                       o) { return millstream::text_of(o.field); } \
    }

const auto kOptions = std::to_array<OptionEntry>({
    MILLSTREAM_SWITCH(overwrite, "--overwrite"),
    MILLSTREAM_TEXT(model, "--model", "a name of `millstream models list` or a .param file"),
    MILLSTREAM_NUMBER(scale, "--scale", 1, 4),
    MILLSTREAM_SIZE(size, "--size"),
    MILLSTREAM_SIZE(fit, "--fit"),
    MILLSTREAM_WORD(backend, "--backend", "auto|torch|openvino", parse_backend),
    MILLSTREAM_WORD(precision, "--precision", "auto|fp32|bf16|fp16|int8", parse_precision),
    {"device", "--device", "auto|cpu|cuda:N|openvino:GPU, several with commas",
     [](Options& o, Text t) { o.device = parse_device(t); }, [](const Options& o) { return o.device; }},
    {"tile", "--tile", "auto|off|pixels", [](Options& o, Text t) { o.tile = parse_tile(t); },
     [](const Options& o) { return tile_text(o.tile); }},
    {"batch", "--batch", "auto|1..256", [](Options& o, Text t) { o.batch = parse_batch(t); },
     [](const Options& o) { return number_or_auto(o.batch); }},
    {"threads", "--threads", "auto|1..1024",
     [](Options& o, Text t) { o.threads = t == "auto" ? 0 : parse_number("--threads", t, 1, 1024); },
     [](const Options& o) { return number_or_auto(o.threads); }},
    MILLSTREAM_WORD(colour_fix, "--color-fix", "off|lowpass", parse_colour_fix),
    MILLSTREAM_WORD(reuse, "--reuse", "off|exact|safe|fast", parse_reuse),
    MILLSTREAM_WORD(temporal, "--temporal", "off|low|medium|high", parse_temporal),
    MILLSTREAM_WORD(temporal_flow, "--temporal-flow", "fast|full", parse_temporal_flow),
    {"debug_view", "--debug-view", "none|flow|confidence|split",
     [](Options& o, Text t) { o.debug_view = t == "none" ? DebugView::none : parse_debug_view(t); },
     [](const Options& o) { return millstream::text_of(o.debug_view); }},
    MILLSTREAM_BYTES(max_memory, "--max-memory"),
    MILLSTREAM_BYTES(max_vram, "--max-vram"),
    MILLSTREAM_WORD(disk_limit, "--disk-limit", "P%|bytes|none", parse_disk_limit),
    MILLSTREAM_WORD(max_total, "--max-total", "ratio|bytes|none", parse_total),
    MILLSTREAM_WORD(chunk, "--chunk", "auto|8s|200f", parse_chunk),
    MILLSTREAM_WORD(resume, "--resume", "auto|never|require", parse_resume),
    MILLSTREAM_WORD(release, "--release", "auto|every_frame|on_pressure", parse_release),
    {"pressure", "--pressure", "two rising percentages: P,P",
     [](Options& o, Text t) { std::tie(o.elevated_pressure, o.critical_pressure) = parse_thresholds(t); },
     [](const Options& o) { return percent(o.elevated_pressure) + "," + percent(o.critical_pressure); }},
    MILLSTREAM_SWITCH(strict_io, "--strict-io"),
    {"reports", "--report", "files, .json or .html", [](Options& o, Text t) { o.reports = files_of(t); },
     [](const Options& o) { return text_of(o.reports); }},
    {"metrics_file", "--metrics-file", "a file", [](Options& o, Text t) { o.metrics_file = t; },
     [](const Options& o) { return o.metrics_file.string(); }},
    {"codec", "--codec", "h264|hevc|av1", [](Options& o, Text t) { o.codec = parse_codec(t); },
     [](const Options& o) { return o.codec; }},
    MILLSTREAM_TEXT(encoder, "--encoder", "an encoder of FFmpeg"),
    MILLSTREAM_NUMBER(crf, "--crf", 0, 63),
    MILLSTREAM_TEXT(preset, "--preset", "a preset of the encoder"),
    {"encoder_options", "--encoder-options", "K=V[:K=V]",
     [](Options& o, Text t) { o.encoder_options = t.empty() ? KeyValues{} : parse_key_values("--encoder-options", t); },
     [](const Options& o) { return millstream::text_of(o.encoder_options); }},
    MILLSTREAM_TEXT(pixel_format, "--pix-fmt", "a pixel format of FFmpeg"),
    MILLSTREAM_SWITCH(bake_rotation, "--bake-rotation"),
    MILLSTREAM_SWITCH(faststart, "--faststart"),
    MILLSTREAM_SWITCH(strict, "--strict"),
    MILLSTREAM_WORD(deinterlace, "--deinterlace", "auto|off|on|field", parse_deinterlace),
    MILLSTREAM_WORD(crop, "--crop", "off|auto|W:H:X:Y", parse_crop),
    MILLSTREAM_WORD(alpha, "--alpha", "auto|drop|require", parse_alpha),
    MILLSTREAM_TEXT(hwaccel, "--hwaccel", "a device type of FFmpeg"),
    MILLSTREAM_NUMBER(video_stream, "--video", 0, 255),
    MILLSTREAM_SWITCH(verify, "--verify"),
    MILLSTREAM_STREAMS(audio, "--audio"),
    MILLSTREAM_STREAMS(subtitles, "--subtitles"),
    MILLSTREAM_SWITCH(convert_subtitles, "--convert-subtitles"),
    MILLSTREAM_WORD(runner, "--runner", "threaded|serial", parse_runner),
});

}   // namespace

std::span<const OptionEntry> option_table() {
    return kOptions;
}

const OptionEntry& find_option(std::string_view name) {
    const auto* const found =
        std::find_if(kOptions.begin(), kOptions.end(), [name](const OptionEntry& entry) { return entry.name == name; });
    if (found != kOptions.end()) {
        return *found;
    }
    std::string names;
    for (const OptionEntry& entry : kOptions) {
        names += (names.empty() ? "" : ", ") + std::string(entry.name);
    }
    throw Error(ErrorKind::usage,
                {"reading the options", std::string(name), "there is no such option", "There are " + names});
}

void set_option(Options& options, std::string_view name, std::string_view text) {
    const OptionEntry& entry = find_option(name);
    try {
        entry.set(options, text);
    } catch (const Error& error) {
        throw Error(error.kind(), {"reading the options", std::string(name) + " = " + std::string(text),
                                   error.context().why, error.context().hint});
    }
}

}   // namespace millstream
