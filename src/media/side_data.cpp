#include "media/side_data.h"

extern "C" {
#include <libavutil/dovi_meta.h>
#include <libavutil/mastering_display_metadata.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace millstream {
namespace {

constexpr double kChromaticityUnit = 50000;   // SMPTE ST 2086 as HEVC and AVC carry it
constexpr double kLuminanceUnit = 10000;

template <class T>
const T* read(const std::uint8_t* data, std::size_t size) {
    return data != nullptr && size >= sizeof(T) ? reinterpret_cast<const T*>(data) : nullptr;
}

// The frame's where it has one, else the container's.
template <class T>
const T* find(const AVStream& stream, AVPacketSideDataType in_container, const AVFrame& frame,
              AVFrameSideDataType in_frame) {
    if (const AVFrameSideData* found = av_frame_get_side_data(&frame, in_frame)) {
        return read<T>(found->data, found->size);
    }
    std::size_t size = 0;
    const std::uint8_t* data = av::side_data(stream, in_container, size);
    return read<T>(data, size);
}

AVRational fraction(double value, int unit) {
    return {static_cast<int>(std::lround(value * unit)), unit};
}

std::string format_mastering(const MasteringDisplay& d, const char* pattern, double chromaticity, double luminance) {
    std::array<char, 256> text{};
    const auto c = [&](double value) { return value * chromaticity; };
    std::snprintf(text.data(), text.size(), pattern, c(d.green[0]), c(d.green[1]), c(d.blue[0]), c(d.blue[1]),
                  c(d.red[0]), c(d.red[1]), c(d.white[0]), c(d.white[1]), d.max_luminance * luminance,
                  d.min_luminance * luminance);
    return text.data();
}

FieldOrder field_order_of(const AVStream& stream, const AVFrame& frame) {
    if (av::is_interlaced(frame)) {
        return av::is_top_field_first(frame) ? FieldOrder::top_first : FieldOrder::bottom_first;
    }
    switch (stream.codecpar->field_order) {
        case AV_FIELD_TT:
        case AV_FIELD_TB:
            return FieldOrder::top_first;
        case AV_FIELD_BB:
        case AV_FIELD_BT:
            return FieldOrder::bottom_first;
        default:
            return FieldOrder::progressive;
    }
}

// Out of a display matrix (ISO/IEC 14496-12, 6.2.2); nothing where it turns by other than quarters, or scales.
std::optional<Orientation> orientation_of(const AVStream& stream) {
    std::size_t size = 0;
    const std::uint8_t* data = av::side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, size);
    if (data == nullptr || size < 9 * sizeof(std::int32_t)) {
        return Orientation{};
    }
    std::array<std::int32_t, 9> matrix{};
    std::memcpy(matrix.data(), data, sizeof(matrix));
    constexpr std::int32_t kOne = 1 << 16;
    const auto is_unit = [](std::int32_t value) { return value == kOne || value == -kOne; };
    const Orientation result{matrix[0] / kOne, matrix[1] / kOne, matrix[3] / kOne, matrix[4] / kOne};
    const bool upright = is_unit(matrix[0]) && is_unit(matrix[4]) && matrix[1] == 0 && matrix[3] == 0;
    const bool on_its_side = is_unit(matrix[1]) && is_unit(matrix[3]) && matrix[0] == 0 && matrix[4] == 0;
    return upright || on_its_side ? std::optional(result) : std::nullopt;
}

std::optional<MasteringDisplay> mastering_display_of(const AVStream& stream, const AVFrame& frame) {
    const auto* from = find<AVMasteringDisplayMetadata>(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, frame,
                                                        AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    if (from == nullptr || from->has_primaries == 0 || from->has_luminance == 0) {
        return std::nullopt;
    }
    const auto point = [](const AVRational(&xy)[2]) { return std::array<double, 2>{av_q2d(xy[0]), av_q2d(xy[1])}; };
    return MasteringDisplay{point(from->display_primaries[0]), point(from->display_primaries[1]),
                            point(from->display_primaries[2]), point(from->white_point),
                            av_q2d(from->max_luminance),       av_q2d(from->min_luminance)};
}

std::optional<ContentLight> content_light_of(const AVStream& stream, const AVFrame& frame) {
    const auto* from =
        find<AVContentLightMetadata>(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    return from == nullptr
               ? std::nullopt
               : std::optional(ContentLight{static_cast<int>(from->MaxCLL), static_cast<int>(from->MaxFALL)});
}

// Dolby Vision profile 5: pictures in its own colour space. Others say which ordinary signal their base layer is.
bool has_no_base_layer(const AVStream& stream) {
    std::size_t size = 0;
    const std::uint8_t* data = av::side_data(stream, AV_PKT_DATA_DOVI_CONF, size);
    const auto* configuration = read<AVDOVIDecoderConfigurationRecord>(data, size);
    return configuration != nullptr && configuration->dv_bl_signal_compatibility_id == 0;
}

}   // namespace

void describe_side_data(VideoStreamInfo& video, const AVStream& stream, const AVFrame& frame) {
    const auto has = [&](AVFrameSideDataType type) { return av_frame_get_side_data(&frame, type) != nullptr; };
    std::size_t size = 0;
    video.orientation = orientation_of(stream);
    video.field_order = field_order_of(stream, frame);
    video.hdr = {mastering_display_of(stream, frame), content_light_of(stream, frame)};
    video.dolby_vision = av::side_data(stream, AV_PKT_DATA_DOVI_CONF, size) != nullptr ||
                         has(AV_FRAME_DATA_DOVI_RPU_BUFFER) || has(AV_FRAME_DATA_DOVI_METADATA);
    video.only_dolby_vision = has_no_base_layer(stream);
    video.hdr10_plus = has(AV_FRAME_DATA_DYNAMIC_HDR_PLUS);
    video.film_grain = has(AV_FRAME_DATA_FILM_GRAIN_PARAMS);
}

void set_side_data(AVStream& stream, const HdrMetadata& hdr) {
    const auto free = [](void* memory) { av_free(memory); };
    if (hdr.display) {
        const MasteringDisplay& display = *hdr.display;
        const std::unique_ptr<AVMasteringDisplayMetadata, decltype(free)> to(av_mastering_display_metadata_alloc(),
                                                                             free);
        if (!to) {
            av::fail(ErrorKind::resource, AVERROR(ENOMEM), "creating the output", "");
        }
        const std::array<const std::array<double, 2>*, 3> primaries{&display.red, &display.green, &display.blue};
        for (std::size_t colour = 0; colour < 3; ++colour) {
            for (std::size_t axis = 0; axis < 2; ++axis) {
                to->display_primaries[colour][axis] =
                    fraction(primaries[colour]->at(axis), static_cast<int>(kChromaticityUnit));
            }
        }
        to->white_point[0] = fraction(display.white[0], static_cast<int>(kChromaticityUnit));
        to->white_point[1] = fraction(display.white[1], static_cast<int>(kChromaticityUnit));
        to->max_luminance = fraction(display.max_luminance, static_cast<int>(kLuminanceUnit));
        to->min_luminance = fraction(display.min_luminance, static_cast<int>(kLuminanceUnit));
        to->has_primaries = 1;
        to->has_luminance = 1;
        av::set_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, to.get(), sizeof(*to));
    }
    if (hdr.light) {
        std::size_t size = 0;
        const std::unique_ptr<AVContentLightMetadata, decltype(free)> to(av_content_light_metadata_alloc(&size), free);
        if (!to) {
            av::fail(ErrorKind::resource, AVERROR(ENOMEM), "creating the output", "");
        }
        to->MaxCLL = static_cast<unsigned>(hdr.light->max_content);
        to->MaxFALL = static_cast<unsigned>(hdr.light->max_average);
        av::set_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, to.get(), size);
    }
}

// ISO/IEC 14496-12, 6.2.2: the translation is in the picture's pixels as it is shown, 16.16. Of a picture on its side
// what is across was its height.
void copy_display_matrix(const AVStream& from, AVStream& to) {
    std::size_t size = 0;
    const std::uint8_t* data = av::side_data(from, AV_PKT_DATA_DISPLAYMATRIX, size);
    std::array<std::int32_t, 9> matrix{};
    if (data == nullptr || size < sizeof(matrix)) {
        return;
    }
    std::memcpy(matrix.data(), data, sizeof(matrix));
    const bool on_its_side = matrix[0] == 0;
    const auto scaled = [](std::int32_t value, int into, int out_of) {
        const std::int64_t result = av_rescale(value, into, std::max(out_of, 1));
        return result == std::clamp<std::int64_t>(result, INT32_MIN, INT32_MAX) ? static_cast<std::int32_t>(result)
                                                                                : value;
    };
    const AVCodecParameters& source = *from.codecpar;
    const AVCodecParameters& result = *to.codecpar;
    matrix[6] =
        on_its_side ? scaled(matrix[6], result.height, source.height) : scaled(matrix[6], result.width, source.width);
    matrix[7] =
        on_its_side ? scaled(matrix[7], result.width, source.width) : scaled(matrix[7], result.height, source.height);
    av::set_side_data(to, AV_PKT_DATA_DISPLAYMATRIX, matrix.data(), sizeof(matrix));
}

std::string mastering_in_units(const MasteringDisplay& display) {
    return format_mastering(display, "G(%.0f,%.0f)B(%.0f,%.0f)R(%.0f,%.0f)WP(%.0f,%.0f)L(%.0f,%.0f)", kChromaticityUnit,
                            kLuminanceUnit);
}

std::string mastering_in_decimals(const MasteringDisplay& display) {
    return format_mastering(display, "G(%.5f,%.5f)B(%.5f,%.5f)R(%.5f,%.5f)WP(%.5f,%.5f)L(%.4f,%.4f)", 1, 1);
}

std::string light_words(const ContentLight& light) {
    return std::to_string(light.max_content) + "," + std::to_string(light.max_average);
}

}   // namespace millstream
