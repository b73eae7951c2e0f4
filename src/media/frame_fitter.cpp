#include "media/frame_fitter.h"

extern "C" {
#include <libavutil/imgutils.h>
}

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "media/colour_tags.h"
#include "media/pixel_formats.h"

namespace millstream {
namespace {

// libswscale's vector code may write a few samples behind the end of a row.
constexpr std::size_t kSlackBytes = 256;

double aspect(const Rational& sample_aspect) {
    return sample_aspect.num > 0 && sample_aspect.den > 0 ? sample_aspect.value() : 1.0;
}

int rounded_to(double value, int step) {
    return std::max(step, static_cast<int>(std::lround(value / step)) * step);
}

bool is_aligned(const AVFrame& frame, const PixelFormat& format) {
    for (int plane = 0; plane < format.planes(); ++plane) {
        const int stride = frame.linesize[plane];
        if (stride <= 0 || static_cast<std::size_t>(stride) % kPlaneAlignment != 0 ||
            reinterpret_cast<std::uintptr_t>(frame.data[plane]) % kPlaneAlignment != 0) {
            return false;
        }
    }
    return true;
}

[[noreturn]] void refuse_format(const AVFrame& frame) {
    const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
    throw Error(ErrorKind::input, {"unpacking a decoded frame", name == nullptr ? "unknown pixel format" : name,
                                   "libswscale cannot read this pixel format", "Convert the video first"});
}

bool frame_is_full_range(const AVFrame& frame, bool otherwise) {
    if (is_full_range_format(static_cast<AVPixelFormat>(frame.format))) {
        return true;
    }
    return frame.color_range == AVCOL_RANGE_UNSPECIFIED ? otherwise : frame.color_range == AVCOL_RANGE_JPEG;
}

// libswscale's tables for a H.273 matrix; its own numbers are the same.
const int* coefficients(int matrix) {
    return sws_getCoefficients(matrix == 2 || matrix == 0 ? SWS_CS_DEFAULT : matrix);
}

// What libswscale converts between. BT.601 has two numbers.
bool is_other_matrix(int a, int b) {
    const auto one_of = [](int matrix) { return matrix == AVCOL_SPC_SMPTE170M ? int{AVCOL_SPC_BT470BG} : matrix; };
    const auto known = [](int matrix) {
        return matrix == AVCOL_SPC_BT709 || matrix == AVCOL_SPC_FCC || matrix == AVCOL_SPC_BT470BG ||
               matrix == AVCOL_SPC_SMPTE240M || matrix == AVCOL_SPC_BT2020_NCL;
    };
    return known(one_of(a)) && known(one_of(b)) && one_of(a) != one_of(b);
}

// CUDA's decoder puts 12 bits into the high ones of P016, and FFmpeg fetches them as such.
bool holds_fewer_bits(AVPixelFormat format, const PixelFormat& target) {
    return format == AV_PIX_FMT_P016 && target.is_420() && !target.alpha && target.depth == 12;
}

void free_picture(void* picture, std::uint8_t* /*data*/) {
    delete static_cast<Picture*>(picture);
}

}   // namespace

Rectangle letterbox(const Shape& source, const Shape& target, const PixelFormat& format) {
    const int step_x = 1 << format.chroma_shift_x;
    const int step_y = 1 << format.chroma_shift_y;
    // Both in the target's pixels.
    const double source_width = source.width * aspect(source.sample_aspect) / aspect(target.sample_aspect);
    const double factor = std::min(target.width / source_width, static_cast<double>(target.height) / source.height);
    Rectangle area;
    area.width = std::min(rounded_to(source_width * factor, step_x), target.width);
    area.height = std::min(rounded_to(source.height * factor, step_y), target.height);
    area.x = (target.width - area.width) / 2 / step_x * step_x;
    area.y = (target.height - area.height) / 2 / step_y * step_y;
    return area;
}

FrameFitter::FrameFitter(const PixelFormat& format, const Shape& shape, bool full_range, int matrix)
    : format_(format), av_format_(to_av(format)), shape_(shape), full_range_(full_range), matrix_(matrix) {}

av::Frame FrameFitter::fit(av::Frame frame) {
    const bool other = differs(*frame);
    if (!other && usable_as_is(*frame)) {
        return frame;
    }
    Rectangle area{0, 0, shape_.width, shape_.height};
    if (other) {
        ++resampled_;
        area = letterbox({frame->width, frame->height, av::from_av(frame->sample_aspect_ratio)}, shape_, format_);
    }
    av::Frame fitted = take_frame();
    if (!other && planar_format(static_cast<AVPixelFormat>(frame->format))) {
        av_image_copy(fitted->data, fitted->linesize, const_cast<const std::uint8_t**>(frame->data), frame->linesize,
                      av_format_, shape_.width, shape_.height);
    } else {
        scale(*frame, *fitted, area);
        if (other) {
            blacken_outside(*fitted, area);
        } else {
            copy_alpha(*frame, *fitted);
        }
    }
    av_frame_copy_props(fitted.get(), frame.get());
    return fitted;
}

bool FrameFitter::differs(const AVFrame& frame) const {
    const auto equivalent = planar_equivalent(static_cast<AVPixelFormat>(frame.format));
    if (!equivalent) {
        refuse_format(frame);
    }
    const bool same = *equivalent == format_ || holds_fewer_bits(static_cast<AVPixelFormat>(frame.format), format_);
    return !same || !has_shape_and_colour(frame);
}

bool FrameFitter::has_shape_and_colour(const AVFrame& frame) const {
    const bool same_colour =
        format_.family != ColourFamily::yuv ||
        (frame_is_full_range(frame, full_range_) == full_range_ && !is_other_matrix(matrix_of(frame), matrix_));
    return frame.width == shape_.width && frame.height == shape_.height && same_colour;
}

bool FrameFitter::usable_as_is(const AVFrame& frame) const {
    return planar_format(static_cast<AVPixelFormat>(frame.format)).has_value() && is_aligned(frame, format_);
}

av::Frame FrameFitter::take_frame() {
    const int bytes = av_image_get_buffer_size(av_format_, shape_.width, shape_.height, kPlaneAlignment);
    if (!pool_ && bytes > 0) {
        pool_.reset(av_buffer_pool_init(static_cast<std::size_t>(bytes) + kPlaneAlignment + kSlackBytes, nullptr));
    }
    av::Frame frame = av::make_frame();
    frame->buf[0] = pool_ ? av_buffer_pool_get(pool_.get()) : nullptr;
    if (frame->buf[0] == nullptr) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "unpacking a decoded frame", "");
    }
    const auto start = reinterpret_cast<std::uintptr_t>(frame->buf[0]->data);
    const std::size_t offset = (kPlaneAlignment - start % kPlaneAlignment) % kPlaneAlignment;
    av_image_fill_arrays(frame->data, frame->linesize, frame->buf[0]->data + offset, av_format_, shape_.width,
                         shape_.height, kPlaneAlignment);
    frame->format = av_format_;
    frame->width = shape_.width;
    frame->height = shape_.height;
    return frame;
}

void FrameFitter::scale(const AVFrame& from, AVFrame& to, const Rectangle& area) {
    const bool full_range = frame_is_full_range(from, full_range_);
    const bool same = scaler_ && scaler_for_.width == from.width && scaler_for_.height == from.height &&
                      scaler_for_.format == from.format && scaler_for_.full_range == full_range &&
                      scaler_for_.matrix == matrix_of(from) && scaler_for_.area == area;
    if (!same) {
        constexpr int kFlags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT;
        scaler_.reset(sws_getContext(from.width, from.height, static_cast<AVPixelFormat>(from.format), area.width,
                                     area.height, av_format_, kFlags, nullptr, nullptr, nullptr));
        if (!scaler_) {
            refuse_format(from);
        }
        const bool both_known = matrix_of(from) != AVCOL_SPC_UNSPECIFIED && matrix_ != AVCOL_SPC_UNSPECIFIED;
        const int* table = coefficients(both_known ? matrix_of(from) : matrix_);
        sws_setColorspaceDetails(scaler_.get(), table, full_range ? 1 : 0, coefficients(matrix_), full_range_ ? 1 : 0,
                                 0, 1 << 16, 1 << 16);
        scaler_for_ = {from.width, from.height, from.format, full_range, matrix_of(from), area};
    }
    std::uint8_t* planes[4] = {};
    for (int plane = 0; plane < format_.planes(); ++plane) {
        const int index = av_plane(format_, plane);
        const bool chroma = format_.family == ColourFamily::yuv && (plane == 1 || plane == 2);
        const int x = chroma ? area.x >> format_.chroma_shift_x : area.x;
        const int y = chroma ? area.y >> format_.chroma_shift_y : area.y;
        planes[index] = to.data[index] + static_cast<std::ptrdiff_t>(y) * to.linesize[index] +
                        static_cast<std::ptrdiff_t>(x) * format_.bytes_per_sample();
    }
    sws_scale(scaler_.get(), from.data, from.linesize, 0, from.height, planes, to.linesize);
}

// libswscale keeps colour exactly when it only unpacks, but alpha of some formats only to a bit or two.
void FrameFitter::copy_alpha(const AVFrame& from, AVFrame& to) const {
    const AVPixFmtDescriptor& packed = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(from.format));
    const AVPixFmtDescriptor& planar = *av_pix_fmt_desc_get(av_format_);
    const int source = packed.nb_components - 1;
    const bool exact = format_.alpha && (packed.flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_FLOAT)) == 0 &&
                       packed.comp[source].depth == format_.depth;
    if (!exact) {
        return;
    }
    std::vector<std::uint16_t> line(static_cast<std::size_t>(shape_.width));
    const std::uint8_t* planes[4] = {from.data[0], from.data[1], from.data[2], from.data[3]};
    for (int y = 0; y < shape_.height; ++y) {
        av_read_image_line(line.data(), planes, from.linesize, &packed, 0, y, source, shape_.width, 0);
        std::memset(to.data[3] + static_cast<std::ptrdiff_t>(y) * to.linesize[3], 0,
                    static_cast<std::size_t>(shape_.width * format_.bytes_per_sample()));   // the next call adds bits
        av_write_image_line(line.data(), to.data, to.linesize, &planar, 0, y, planar.nb_components - 1, shape_.width);
    }
}

// After scaling: libswscale may write a little to the right of its area.
void FrameFitter::blacken_outside(AVFrame& frame, const Rectangle& area) const {
    const auto fill = [&](int x, int y, int width, int height) {
        if (width <= 0 || height <= 0) {
            return;
        }
        std::uint8_t* planes[4] = {};
        std::ptrdiff_t strides[4] = {};
        for (int plane = 0; plane < format_.planes(); ++plane) {
            const int index = av_plane(format_, plane);
            const bool chroma = format_.family == ColourFamily::yuv && (plane == 1 || plane == 2);
            strides[index] = frame.linesize[index];
            planes[index] = frame.data[index] + (chroma ? y >> format_.chroma_shift_y : y) * strides[index] +
                            (chroma ? x >> format_.chroma_shift_x : x) * format_.bytes_per_sample();
        }
        av_image_fill_black(planes, strides, av_format_, full_range_ ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG, width,
                            height);
    };
    const int right = area.x + area.width;
    const int bottom = area.y + area.height;
    fill(0, 0, shape_.width, area.y);
    fill(0, bottom, shape_.width, shape_.height - bottom);
    fill(0, area.y, area.x, area.height);
    fill(right, area.y, shape_.width - right, area.height);
}

Picture to_picture(av::Frame frame, const PixelFormat& format) {
    Picture picture;
    picture.format = format;
    picture.width = frame->width;
    picture.height = frame->height;
    for (int plane = 0; plane < format.planes(); ++plane) {
        const int index = av_plane(format, plane);
        picture.planes[static_cast<std::size_t>(plane)] = {reinterpret_cast<std::byte*>(frame->data[index]),
                                                           frame->linesize[index]};
    }
    picture.key_frame = av::is_key_frame(*frame);
    picture.interlaced = av::is_interlaced(*frame);
    picture.top_field_first = av::is_top_field_first(*frame);
    picture.owner = std::shared_ptr<AVFrame>(frame.release(), av::FreeThrough<av_frame_free>());
    return picture;
}

av::Frame to_frame(const Picture& picture, AVPixelFormat format) {
    av::Frame frame = av::make_frame();
    frame->format = format;
    frame->width = picture.width;
    frame->height = picture.height;
    for (int plane = 0; plane < picture.format.planes(); ++plane) {
        const int index = av_plane(picture.format, plane);
        const Plane& from = picture.planes[static_cast<std::size_t>(plane)];
        frame->data[index] = reinterpret_cast<std::uint8_t*>(from.data);
        frame->linesize[index] = static_cast<int>(from.stride);
    }
    auto share = std::make_unique<Picture>(picture);
    frame->buf[0] =
        av_buffer_create(frame->data[0], picture.bytes(), free_picture, share.get(), AV_BUFFER_FLAG_READONLY);
    if (frame->buf[0] == nullptr) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "handing a picture to the encoder", "");
    }
    (void)share.release();   // the buffer frees it
    return frame;
}

}   // namespace millstream
