#include "media/av.h"

extern "C" {
#include <libavutil/error.h>
}

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "media/probe.h"

namespace millstream {

std::string ffmpeg_version() {
    const auto version = [](const char* name, unsigned number) {
        return std::string(name) + " " + std::to_string(AV_VERSION_MAJOR(number)) + "." +
               std::to_string(AV_VERSION_MINOR(number)) + "." + std::to_string(AV_VERSION_MICRO(number));
    };
    return std::string("FFmpeg ") + av_version_info() + " (" + version("libavcodec", avcodec_version()) + ", " +
           version("libavformat", avformat_version()) + ", " + version("libavutil", avutil_version()) + ", " +
           version("libswscale", swscale_version()) + ")";
}

namespace av {
namespace {

template <class Owner, class Object>
Owner owned(Object* object) {
    if (object == nullptr) {
        fail(ErrorKind::resource, AVERROR(ENOMEM), "allocating a packet or frame", "");
    }
    return Owner(object);
}

}   // namespace

Frame make_frame() {
    return owned<Frame>(av_frame_alloc());
}

Packet make_packet() {
    return owned<Packet>(av_packet_alloc());
}

std::string describe(int code) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    av_strerror(code, text.data(), text.size());
    return text.data();
}

void fail(ErrorKind kind, int code, std::string doing, std::string subject, std::string hint) {
    const bool exhausted =
        code == AVERROR(ENOMEM) || code == AVERROR(ENOSPC) || code == AVERROR(EDQUOT) || code == AVERROR(EMFILE);
    throw Error(exhausted ? ErrorKind::resource : kind,
                {std::move(doing), std::move(subject), describe(code), std::move(hint)});
}

int check(int code, ErrorKind kind, const char* doing, const std::string& subject) {
    if (code < 0) {
        fail(kind, code, doing, subject);
    }
    return code;
}

AVRational to_av(Rational value) {
    AVRational result{0, 1};
    av_reduce(&result.num, &result.den, value.num, value.den == 0 ? 1 : value.den, INT_MAX);
    return result;
}

Rational from_av(AVRational value) {
    return value.den == 0 ? Rational{0, 1} : Rational{value.num, value.den};
}

#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
bool is_key_frame(const AVFrame& frame) {
    return (frame.flags & AV_FRAME_FLAG_KEY) != 0;
}
bool is_interlaced(const AVFrame& frame) {
    return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0;
}
bool is_top_field_first(const AVFrame& frame) {
    return (frame.flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0;
}
void mark_interlaced(AVFrame& frame, bool top_field_first) {
    frame.flags |= AV_FRAME_FLAG_INTERLACED | (top_field_first ? AV_FRAME_FLAG_TOP_FIELD_FIRST : 0);
}
#else
bool is_key_frame(const AVFrame& frame) {
    return frame.key_frame != 0;
}
bool is_interlaced(const AVFrame& frame) {
    return frame.interlaced_frame != 0;
}
bool is_top_field_first(const AVFrame& frame) {
    return frame.top_field_first != 0;
}
void mark_interlaced(AVFrame& frame, bool top_field_first) {
    frame.interlaced_frame = 1;
    frame.top_field_first = top_field_first ? 1 : 0;
}
#endif

std::int64_t duration_of(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    return frame.duration;
#else
    return frame.pkt_duration;
#endif
}

const AVPixelFormat* encoder_formats(const AVCodec& codec) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void* formats = nullptr;
    avcodec_get_supported_config(nullptr, &codec, AV_CODEC_CONFIG_PIX_FORMAT, 0, &formats, nullptr);
    return static_cast<const AVPixelFormat*>(formats);
#else
    return codec.pix_fmts;
#endif
}

#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
const std::uint8_t* side_data(const AVStream& stream, AVPacketSideDataType type, std::size_t& size) {
    const AVPacketSideData* found =
        av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, type);
    size = found == nullptr ? 0 : found->size;
    return found == nullptr ? nullptr : found->data;
}

void set_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, std::size_t size) {
    const AVPacketSideData* copy =
        av_packet_side_data_new(&stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data, type, size, 0);
    if (copy == nullptr) {
        fail(ErrorKind::resource, AVERROR(ENOMEM), "copying side data", "");
    }
    std::memcpy(copy->data, data, size);
}

void copy_all_side_data(const AVStream& /*from*/, AVStream& /*to*/) {}   // came with the codec parameters
#else
const std::uint8_t* side_data(const AVStream& stream, AVPacketSideDataType type, std::size_t& size) {
    return av_stream_get_side_data(&stream, type, &size);
}

void set_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, std::size_t size) {
    std::uint8_t* copy = av_stream_new_side_data(&stream, type, size);
    if (copy == nullptr) {
        fail(ErrorKind::resource, AVERROR(ENOMEM), "copying side data", "");
    }
    std::memcpy(copy, data, size);
}

void copy_all_side_data(const AVStream& from, AVStream& to) {
    for (int i = 0; i < from.nb_side_data; ++i) {
        set_side_data(to, from.side_data[i].type, from.side_data[i].data, from.side_data[i].size);
    }
}
#endif

void copy_side_data(const AVStream& from, AVStream& to, AVPacketSideDataType type) {
    std::size_t size = 0;
    const std::uint8_t* data = side_data(from, type, size);
    if (data != nullptr) {
        set_side_data(to, type, data, size);
    }
}

}   // namespace av
}   // namespace millstream
