#include "media/colour_tags.h"

#include <cstring>

#include "media/pixel_formats.h"

namespace millstream {
namespace {

static_assert(static_cast<int>(ChromaLocation::left) == AVCHROMA_LOC_LEFT);
static_assert(static_cast<int>(ChromaLocation::center) == AVCHROMA_LOC_CENTER);
static_assert(static_cast<int>(ChromaLocation::top_left) == AVCHROMA_LOC_TOPLEFT);
static_assert(static_cast<int>(ChromaLocation::top) == AVCHROMA_LOC_TOP);
static_assert(static_cast<int>(ChromaLocation::bottom_left) == AVCHROMA_LOC_BOTTOMLEFT);
static_assert(static_cast<int>(ChromaLocation::bottom) == AVCHROMA_LOC_BOTTOM);

constexpr int kUnspecified = 2;   // H.273, the same in all three

// FFmpeg hands on the file's own number in an enum, known or not. It is read as a number, since an enum must not be
// loaded with a value it does not have; one that H.273 does not know says nothing.
template <class Tag>
int tag_number(const Tag& tag, int end) {
    int number = kUnspecified;
    static_assert(sizeof tag == sizeof number);
    std::memcpy(&number, &tag, sizeof number);
    return number >= 0 && number < end ? number : kUnspecified;
}

struct Tags {
    int matrix;
    int primaries;
    int transfer;
    AVColorRange range;
    AVChromaLocation location;
};

bool full_range(AVColorRange range, AVPixelFormat format, AVCodecID codec) {
    if (range != AVCOL_RANGE_UNSPECIFIED) {
        return range == AVCOL_RANGE_JPEG;
    }
    if (is_full_range_format(format)) {
        return true;
    }
    const auto planar = planar_equivalent(format);
    if (!planar || planar->family == ColourFamily::yuv) {
        return false;
    }
    const AVCodecDescriptor* description = avcodec_descriptor_get(codec);
    const int lossless_only =
        description == nullptr ? 0 : description->props & (AV_CODEC_PROP_LOSSLESS | AV_CODEC_PROP_LOSSY);
    return planar->family == ColourFamily::rgb || lossless_only == AV_CODEC_PROP_LOSSLESS;
}

Colour from_tags(const Tags& tags, AVPixelFormat format, AVCodecID codec) {
    Colour colour;
    colour.matrix = tags.matrix;
    colour.primaries = tags.primaries;
    colour.transfer = tags.transfer;
    colour.full_range = full_range(tags.range, format, codec);
    if (tags.location > AVCHROMA_LOC_UNSPECIFIED && tags.location < AVCHROMA_LOC_NB) {
        colour.chroma_location = static_cast<ChromaLocation>(tags.location);
    }
    return colour;
}

}   // namespace

int matrix_of(const AVFrame& frame) {
    return tag_number(frame.colorspace, AVCOL_SPC_NB);
}

Colour colour_of(const AVFrame& frame, const AVCodecParameters& container) {
    const auto either = [](int first, int second) { return first != kUnspecified ? first : second; };
    const Tags tags{
        either(matrix_of(frame), tag_number(container.color_space, AVCOL_SPC_NB)),
        either(tag_number(frame.color_primaries, AVCOL_PRI_NB), tag_number(container.color_primaries, AVCOL_PRI_NB)),
        either(tag_number(frame.color_trc, AVCOL_TRC_NB), tag_number(container.color_trc, AVCOL_TRC_NB)),
        frame.color_range != AVCOL_RANGE_UNSPECIFIED ? frame.color_range : container.color_range,
        frame.chroma_location != AVCHROMA_LOC_UNSPECIFIED ? frame.chroma_location : container.chroma_location,
    };
    return from_tags(tags, static_cast<AVPixelFormat>(frame.format), container.codec_id);
}

Colour colour_of(const AVCodecParameters& container) {
    const Tags tags{tag_number(container.color_space, AVCOL_SPC_NB),
                    tag_number(container.color_primaries, AVCOL_PRI_NB), tag_number(container.color_trc, AVCOL_TRC_NB),
                    container.color_range, container.chroma_location};
    return from_tags(tags, static_cast<AVPixelFormat>(container.format), container.codec_id);
}

void tag(AVCodecContext& encoder, const Colour& colour, const PixelFormat& format) {
    encoder.colorspace = static_cast<AVColorSpace>(colour.matrix);
    encoder.color_primaries = static_cast<AVColorPrimaries>(colour.primaries);
    encoder.color_trc = static_cast<AVColorTransferCharacteristic>(colour.transfer);
    encoder.color_range = colour.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    // Only 4:2:0 has a choice of places (H.264 E.2.1, H.265 E.3.1).
    if (format.family == ColourFamily::yuv && format.chroma_shift_x == 1 && format.chroma_shift_y == 1) {
        encoder.chroma_sample_location = static_cast<AVChromaLocation>(colour.chroma_location);
    }
}

}   // namespace millstream
