#include "media/pixel_formats.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace millstream {
namespace {

bool has(const AVPixFmtDescriptor& description, std::uint64_t flag) {
    return (description.flags & flag) != 0;
}

bool is_native_endian(const AVPixFmtDescriptor& description) {
    const bool big = has(description, AV_PIX_FMT_FLAG_BE);
    return description.comp[0].depth <= 8 || big == (std::endian::native == std::endian::big);
}

bool is_xyz(AVPixelFormat format) {
    return format == AV_PIX_FMT_XYZ12LE || format == AV_PIX_FMT_XYZ12BE;
}

int deepest(const AVPixFmtDescriptor& description) {
    int depth = 0;
    for (int i = 0; i < description.nb_components; ++i) {
        depth = std::max(depth, description.comp[i].depth);
    }
    return depth;
}

// Every component in a plane of its own, samples side by side, in the low bits.
bool is_plain_planar(const AVPixFmtDescriptor& description) {
    const std::uint64_t never = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                                AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT;
    if ((description.flags & never) != 0 || !is_native_endian(description)) {
        return false;
    }
    std::array<bool, 4> seen{};
    for (int i = 0; i < description.nb_components; ++i) {
        const AVComponentDescriptor& component = description.comp[i];
        const int bytes = component.depth > 8 ? 2 : 1;
        if (component.plane > 3 || seen[static_cast<std::size_t>(component.plane)] || component.step != bytes ||
            component.offset != 0 || component.shift != 0 || component.depth < 8 || component.depth > 16 ||
            component.depth != description.comp[0].depth) {
            return false;
        }
        seen[static_cast<std::size_t>(component.plane)] = true;
    }
    return true;
}

ColourFamily family_of(const AVPixFmtDescriptor& description) {
    if (has(description, AV_PIX_FMT_FLAG_RGB)) {
        return ColourFamily::rgb;
    }
    return description.nb_components <= 2 ? ColourFamily::gray : ColourFamily::yuv;
}

PixelFormat describe(const AVPixFmtDescriptor& description) {
    PixelFormat format;
    format.family = family_of(description);
    format.depth = std::clamp(deepest(description), 8, 16);
    const bool subsampled = format.family == ColourFamily::yuv;
    format.chroma_shift_x = subsampled ? description.log2_chroma_w : 0;
    format.chroma_shift_y = subsampled ? description.log2_chroma_h : 0;
    format.alpha = has(description, AV_PIX_FMT_FLAG_ALPHA);
    return format;
}

bool is_full_range_name(AVPixelFormat format) {
    switch (format) {
        case AV_PIX_FMT_YUVJ411P:
        case AV_PIX_FMT_YUVJ420P:
        case AV_PIX_FMT_YUVJ422P:
        case AV_PIX_FMT_YUVJ440P:
        case AV_PIX_FMT_YUVJ444P:
            return true;
        default:
            return false;
    }
}

// `format`, or the next deeper one that FFmpeg has in planes.
std::optional<PixelFormat> nearest_planar(PixelFormat format) {
    for (; format.depth <= 16; ++format.depth) {
        if (to_av(format) != AV_PIX_FMT_NONE) {
            return format;
        }
    }
    return std::nullopt;
}

}   // namespace

std::optional<PixelFormat> planar_format(AVPixelFormat format) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    if (description == nullptr || !is_plain_planar(*description)) {
        return std::nullopt;
    }
    const bool gray_with_alpha = description->nb_components == 2;
    if (gray_with_alpha || is_xyz(format)) {
        return std::nullopt;
    }
    return describe(*description);
}

AVPixelFormat to_av(const PixelFormat& format) {
    for (const AVPixFmtDescriptor* description = av_pix_fmt_desc_next(nullptr); description != nullptr;
         description = av_pix_fmt_desc_next(description)) {
        const AVPixelFormat candidate = av_pix_fmt_desc_get_id(description);
        if (!is_full_range_name(candidate) && planar_format(candidate) == format) {
            return candidate;
        }
    }
    return AV_PIX_FMT_NONE;
}

std::optional<PixelFormat> planar_equivalent(AVPixelFormat format) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    if (description == nullptr || has(*description, AV_PIX_FMT_FLAG_HWACCEL)) {
        return std::nullopt;
    }
    if (const auto planar = planar_format(format)) {
        return planar;
    }
    PixelFormat equivalent = describe(*description);
    if (is_xyz(format) || has(*description, AV_PIX_FMT_FLAG_PAL) ||
        (equivalent.family == ColourFamily::gray && equivalent.alpha)) {
        equivalent.family = ColourFamily::rgb;
        equivalent.alpha = equivalent.alpha || has(*description, AV_PIX_FMT_FLAG_PAL);
    }
    return nearest_planar(equivalent);
}

bool is_full_range_format(AVPixelFormat format) {
    return is_full_range_name(format);
}

int av_plane(const PixelFormat& format, int plane) {
    constexpr std::array<int, 4> kRgb{2, 0, 1, 3};
    return format.family == ColourFamily::rgb ? kRgb[static_cast<std::size_t>(plane)] : plane;
}

}   // namespace millstream
