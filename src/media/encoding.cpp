#include "media/encoding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/counted.h"
#include "base/cpu.h"
#include "media/av.h"
#include "media/encoder_format.h"
#include "media/encoder_options.h"
#include "media/video_encoder.h"

namespace millstream {
namespace {

constexpr const char* kChoosing = "choosing the encoder";
constexpr int kUnspecified = 2;   // H.273
constexpr int kBt709 = 1;
constexpr int kRgb = 0;

[[noreturn]] void refuse(std::string subject, std::string why, std::string hint) {
    throw Error(ErrorKind::usage, {kChoosing, std::move(subject), std::move(why), std::move(hint)});
}

std::string default_encoder(const std::string& codec) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kEncoders{
        {{"h264", "libx264"}, {"hevc", "libx265"}, {"av1", "libsvtav1"}}};
    for (const auto& [name, encoder] : kEncoders) {
        if (name == codec) {
            return std::string(encoder);
        }
    }
    refuse(codec, "there is no such codec here", "Use h264, hevc or av1, or name an encoder of FFmpeg's");
}

const AVCodec& find_encoder(const Options& options) {
    const std::string name = options.encoder.empty() ? default_encoder(options.codec) : options.encoder;
    const AVCodec* codec = avcodec_find_encoder_by_name(name.c_str());
    if (codec == nullptr || codec->type != AVMEDIA_TYPE_VIDEO) {
        refuse(name, "this FFmpeg has no such video encoder", "`ffmpeg -encoders` lists those it has");
    }
    return *codec;
}

void check_container(const AVCodec& codec, const Options& options) {
    StreamInfo stream;
    stream.kind = StreamKind::video;
    stream.codec = avcodec_get_name(codec.id);
    const std::string why = cannot_hold(container_for(options.output), stream);
    if (!why.empty()) {
        refuse(options.output.string(), why,
               container_for(options.output) == "webm" ? "WebM holds AV1 (--codec av1) and VP9"
                                                       : "Choose another extension or another codec");
    }
}

Rational nominal_rate(const VideoStreamInfo& video) {
    constexpr double kMostPlausible = 1000;
    constexpr int kMostTerms = 60000;   // MPEG-4 and its heirs count in 16 bits; 60000/1001 fits
    Rational rate = video.average_rate.value() > 0 ? video.average_rate : video.nominal_rate;
    if (rate.value() <= 0 || rate.value() > kMostPlausible) {
        rate = {25, 1};
    }
    AVRational reduced{25, 1};
    av_reduce(&reduced.num, &reduced.den, rate.num, rate.den, kMostTerms);
    return reduced.num <= 0 || reduced.den <= 0 ? Rational{25, 1} : av::from_av(reduced);
}

// The display aspect stays. A size that differs by rounding only keeps the source's own ratio.
Rational sample_aspect(const VideoStreamInfo& video, Size output) {
    const double scale_x = static_cast<double>(output.width) / video.width;
    const double scale_y = static_cast<double>(output.height) / video.height;
    const bool uniform =
        std::abs(output.width - video.width * scale_y) < 2.0 || std::abs(output.height - video.height * scale_x) < 2.0;
    if (uniform) {
        return video.sample_aspect;
    }
    const bool known = video.sample_aspect.num > 0 && video.sample_aspect.den > 0;
    const std::int64_t num = known ? video.sample_aspect.num : 1;
    const std::int64_t den = known ? video.sample_aspect.den : 1;
    AVRational ratio{1, 1};
    av_reduce(&ratio.num, &ratio.den, num * video.width * output.height, den * video.height * output.width, 4096);
    return av::from_av(ratio);
}

Colour output_colour(const VideoStreamInfo& video, const PixelFormat& format, std::vector<std::string>& notes) {
    if (video.format.family == ColourFamily::rgb && format.family != ColourFamily::rgb) {
        Colour colour = video.colour;
        colour.matrix = kBt709;
        colour.full_range = false;
        colour = resolve_colour(colour, format, video.height);
        notes.push_back("RGB is encoded as YCbCr " + describe_format(format) + ", " + describe_colour(colour) + ".");
        return colour;
    }
    if (format.family == ColourFamily::rgb) {
        Colour colour = video.colour;
        colour.matrix = kRgb;
        colour.full_range = true;
        colour.chroma_location = ChromaLocation::unspecified;
        return colour;
    }
    // On the source's height: an SD source that is scaled past 720 lines is still BT.601.
    const Colour colour = resolve_colour(video.colour, video.format, video.height);
    if (video.colour.matrix != colour.matrix && format.family == ColourFamily::yuv) {
        Colour said = colour;
        said.transfer = kUnspecified;
        notes.push_back("The source does not say which colour matrix it uses; " + describe_colour(said) +
                        " is assumed for its " + counted(video.height, "line", "lines") +
                        ", and tagged in the output.");
    }
    return colour;
}

constexpr const char* kHoldAlpha = "ffv1 in .mkv, prores_ks or qtrle in .mov, libvpx-vp9 in .webm hold it (--encoder)";

// VP8 and VP9 have their alpha plane beside them, which only Matroska has a place for.
bool container_loses_alpha(const Options& options, const AVCodec& codec) {
    const std::string container = container_for(options.output);
    return (codec.id == AV_CODEC_ID_VP8 || codec.id == AV_CODEC_ID_VP9) && container != "matroska" &&
           container != "webm";
}

// What is asked of the encoder: the source's, without an alpha plane that is not wanted or would not arrive.
EncoderFormat choose_format(const Options& options, const AVCodec& codec, const VideoStreamInfo& video) {
    const bool lost = container_loses_alpha(options, codec);
    if (options.pixel_format.empty()) {
        PixelFormat wanted = video.format;
        wanted.alpha = wanted.alpha && options.alpha != Alpha::drop && !lost;
        return choose_encoder_format(codec, wanted);
    }
    EncoderFormat named = named_encoder_format(codec, options.pixel_format);
    if (named.format.alpha && lost) {
        refuse("--pix-fmt " + options.pixel_format,
               options.output.extension().string() + " cannot hold the alpha plane of " + codec.name, kHoldAlpha);
    }
    return named;
}

// "libx264", or "libvpx-vp9 in .mp4" where it is not the encoder's fault.
std::string loser_of_alpha(const Options& options, const AVCodec& codec) {
    return codec.name +
           (container_loses_alpha(options, codec) ? " in " + options.output.extension().string() : std::string());
}

void check_alpha(const Options& options, const AVCodec& codec, const VideoStreamInfo& video,
                 const EncoderSettings& settings) {
    if (options.alpha == Alpha::require && !settings.format.alpha) {
        refuse("--alpha require",
               video.format.alpha ? loser_of_alpha(options, codec) + " cannot hold an alpha plane"
                                  : "the source has no alpha plane",
               video.format.alpha ? kHoldAlpha : "Leave it out");
    }
}

void note_alpha(const Options& options, const AVCodec& codec, const EncoderSettings& settings,
                std::vector<std::string>& notes) {
    if (settings.format.alpha) {
        notes.emplace_back("The alpha plane is scaled beside the colours.");
    } else if (options.alpha == Alpha::drop) {
        notes.emplace_back("The alpha plane is dropped: --alpha drop asks for it.");
    } else {
        notes.push_back("The alpha plane is dropped: " + loser_of_alpha(options, codec) + " cannot hold it; " +
                        kHoldAlpha + ".");
    }
}

void note_format(const VideoStreamInfo& video, const EncoderSettings& settings, bool asked,
                 std::vector<std::string>& notes) {
    PixelFormat encoded = settings.format;
    encoded.alpha = false;
    PixelFormat without_alpha = video.format;
    without_alpha.alpha = false;
    const bool same_family = settings.format.family == video.format.family;
    if (encoded != without_alpha && (same_family || video.format.family != ColourFamily::rgb)) {
        notes.push_back(describe_format(without_alpha) + " is encoded as " + describe_format(settings.format) + ": " +
                        (asked ? "--pix-fmt asks for it." : settings.encoder + " does not take it."));
    }
}

// Fields stand in alternate lines: where lines are added or merged they are gone.
FieldOrder output_field_order(const VideoStreamInfo& video, EncoderSettings& settings,
                              std::vector<std::string>& notes) {
    if (video.field_order == FieldOrder::progressive) {
        return FieldOrder::progressive;
    }
    const std::string source = std::string("The source is interlaced (") +
                               (video.field_order == FieldOrder::top_first ? "top" : "bottom") +
                               " field first) and its frames are enhanced as they are";
    if (settings.height != video.height) {
        notes.push_back(source + "; at another height their fields are lost. Deinterlace it first for a good result.");
        return FieldOrder::progressive;
    }
    notes.push_back(source + "; the output says so, too. Deinterlace it first for a good result.");
    return video.field_order;
}

// Here and not by the encoder: x264 prints on the terminal what it thinks of an unknown one.
void check_preset(const EncoderSettings& settings) {
    const std::vector<std::string> known = preset_names(settings.encoder);
    if (known.empty() || std::find(known.begin(), known.end(), settings.preset) != known.end()) {
        return;
    }
    std::string list;
    for (const std::string& name : known) {
        list += (list.empty() ? "" : ", ") + name;
    }
    refuse(settings.encoder, "it has no preset '" + settings.preset + "'", "Its presets are " + list);
}

// What the user fixed through the encoder's own options is not ours to change, and counts in the memory model.
void adopt_extra(EncoderSettings& settings) {
    settings.threads = number_in_extra(settings, {"threads", "lp", "pools"}).value_or(settings.threads);
    settings.lookahead = number_in_extra(settings, {"rc-lookahead", "lookahead"}).value_or(settings.lookahead);
    settings.references = number_in_extra(settings, {"refs", "ref"}).value_or(settings.references);
    settings.b_frames = number_in_extra(settings, {"bf", "bframes"}).value_or(settings.b_frames);
}

}   // namespace

EncoderSettings choose_encoder(const Options& options, const SourceInfo& source, Size output_size,
                               std::uint64_t memory_budget, std::vector<std::string>& notes) {
    const VideoStreamInfo& video = *source.video().video;
    const AVCodec& codec = find_encoder(options);
    check_container(codec, options);
    const EncoderFormat format = choose_format(options, codec, video);
    const EncoderTraits traits = traits_of(codec.name);

    EncoderSettings settings;
    settings.encoder = codec.name;
    settings.width = output_size.width;
    settings.height = output_size.height;
    settings.format = format.format;
    settings.pixel_format_name = av_get_pix_fmt_name(format.input);
    settings.frame_rate = nominal_rate(video);
    settings.sample_aspect = sample_aspect(video, output_size);
    settings.crf = options.crf.value_or(traits.default_crf);
    settings.preset = options.preset.empty() ? traits.default_preset : options.preset;
    settings.threads = threads_of(codec.name, usable_cpus());
    settings.extra = options.encoder_options;
    check_alpha(options, codec, video, settings);
    check_preset(settings);
    adopt_extra(settings);
    settings.field_order = output_field_order(video, settings, notes);
    settings.hdr = video.hdr;
    if (video.format.alpha) {
        note_alpha(options, codec, settings, notes);
    }
    note_format(video, settings, !options.pixel_format.empty(), notes);
    settings.colour = output_colour(video, settings.format, notes);

    try_encoder(settings);
    fit_into_memory(settings, memory_budget, notes);
    return settings;
}

}   // namespace millstream
