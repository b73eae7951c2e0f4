#include "media/encoder_format.h"

#include <algorithm>
#include <compare>
#include <optional>

#include "media/encoding.h"
#include "media/pixel_formats.h"

namespace millstream {
namespace {

bool is_device_format(AVPixelFormat format) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    return description != nullptr && (description->flags & AV_PIX_FMT_FLAG_HWACCEL) != 0;
}

// Smaller is nearer, member by member.
struct Distance {
    int lost_alpha;
    int family;
    int lost_chroma;
    int lost_bits;
    int extra_chroma;
    int extra_bits;
    int packed;
    int extra_alpha;
    auto operator<=>(const Distance&) const = default;
};

Distance distance(const PixelFormat& wanted, const PixelFormat& candidate, bool packed) {
    Distance result{};
    result.lost_alpha = wanted.alpha && !candidate.alpha ? 1 : 0;
    result.extra_alpha = candidate.alpha && !wanted.alpha ? 1 : 0;
    if (candidate.family != wanted.family) {   // any picture can be made yuv; gray loses colour
        const bool last =
            candidate.family == (wanted.family == ColourFamily::gray ? ColourFamily::rgb : ColourFamily::gray);
        result.family = last ? 2 : 1;
    }
    // Gray has no chroma to lose: the least chroma is the nearest.
    constexpr int kNoChroma = 4;
    const bool gray = wanted.family == ColourFamily::gray;
    const int x = candidate.chroma_shift_x - (gray ? kNoChroma : wanted.chroma_shift_x);
    const int y = candidate.chroma_shift_y - (gray ? kNoChroma : wanted.chroma_shift_y);
    result.lost_chroma = std::max(x, 0) + std::max(y, 0);
    result.extra_chroma = std::max(-x, 0) + std::max(-y, 0);
    result.lost_bits = std::max(wanted.depth - candidate.depth, 0);
    result.extra_bits = std::max(candidate.depth - wanted.depth, 0);
    result.packed = packed ? 1 : 0;
    return result;
}

bool loses_nothing(const AVCodec& encoder) {
    const AVCodecDescriptor* codec = avcodec_descriptor_get(encoder.id);
    return codec != nullptr &&
           (codec->props & (AV_CODEC_PROP_LOSSLESS | AV_CODEC_PROP_LOSSY)) == AV_CODEC_PROP_LOSSLESS;
}

PixelFormat encodable(const AVCodec& encoder, PixelFormat source) {
    if (source.family == ColourFamily::rgb && !loses_nothing(encoder)) {
        source.family = ColourFamily::yuv;
        source.chroma_shift_x = 0;
        source.chroma_shift_y = 0;
    }
    return source;
}

}   // namespace

std::optional<PixelFormat> format_called(const std::string& name) {
    return planar_equivalent(av_get_pix_fmt(name.c_str()));
}

AVPixelFormat device_only_format(const AVCodec& encoder) {
    const AVPixelFormat* formats = av::encoder_formats(encoder);
    if (formats == nullptr || *formats == AV_PIX_FMT_NONE) {
        return AV_PIX_FMT_NONE;
    }
    for (const AVPixelFormat* format = formats; *format != AV_PIX_FMT_NONE; ++format) {
        if (!is_device_format(*format)) {
            return AV_PIX_FMT_NONE;
        }
    }
    return *formats;
}

EncoderFormat choose_encoder_format(const AVCodec& encoder, const PixelFormat& source) {
    // What devices hold when they hold anything.
    constexpr AVPixelFormat kOnDevices[] = {AV_PIX_FMT_NV12, AV_PIX_FMT_P010, AV_PIX_FMT_NONE};
    constexpr AVPixelFormat kSilent[] = {AV_PIX_FMT_YUV420P, AV_PIX_FMT_NONE};
    const AVPixelFormat* formats = av::encoder_formats(encoder);
    formats = formats == nullptr ? kSilent : device_only_format(encoder) != AV_PIX_FMT_NONE ? kOnDevices : formats;

    const PixelFormat wanted = encodable(encoder, source);
    EncoderFormat best;
    std::optional<Distance> nearest;
    for (const AVPixelFormat* format = formats; *format != AV_PIX_FMT_NONE; ++format) {
        const auto candidate = planar_equivalent(*format);
        if (!candidate || is_full_range_format(*format)) {
            continue;
        }
        const Distance here = distance(wanted, *candidate, !planar_format(*format));
        if (!nearest || here < *nearest) {
            nearest = here;
            best = {*candidate, *format};
        }
    }
    if (!nearest) {
        throw Error(ErrorKind::usage, {"choosing the encoder's pixel format", encoder.name,
                                       "it takes no pixel format that can be made from " + describe_format(source),
                                       "Choose another encoder"});
    }
    return best;
}

EncoderFormat named_encoder_format(const AVCodec& encoder, const std::string& name) {
    const AVPixelFormat wanted = av_get_pix_fmt(name.c_str());
    const auto pictures = planar_equivalent(wanted);
    std::string taken;
    const AVPixelFormat* formats = av::encoder_formats(encoder);
    for (; formats != nullptr && *formats != AV_PIX_FMT_NONE; ++formats) {
        const auto usable = planar_equivalent(*formats);
        if (!usable || is_full_range_format(*formats)) {
            continue;
        }
        if (*formats == wanted && pictures) {
            return {*pictures, wanted};
        }
        taken += (taken.empty() ? "" : ", ") + std::string(av_get_pix_fmt_name(*formats));
    }
    throw Error(ErrorKind::usage,
                {"choosing the encoder's pixel format", name,
                 wanted == AV_PIX_FMT_NONE ? "FFmpeg knows no such pixel format"
                                           : std::string(encoder.name) + " does not take it",
                 taken.empty() ? "Leave --pix-fmt out" : std::string(encoder.name) + " takes " + taken});
}

}   // namespace millstream
