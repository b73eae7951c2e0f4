// libav objects with owners, libav return codes as Error, and what differs between FFmpeg 5.1, 6, 7 and 8.
// Included by the .cpp files of room `media` and by its private headers; never by probe.h, decoder.h, encoding.h,
// output.h.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "millstream/error.h"
#include "picture/picture.h"

namespace millstream::av {

/// For libav's free functions that take a pointer to the pointer.
template <auto Free>
struct FreeThrough {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(&object);
    }
};
/// For those that take the pointer itself.
template <auto Free>
struct FreeDirect {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

using Frame = std::unique_ptr<AVFrame, FreeThrough<av_frame_free>>;
using Packet = std::unique_ptr<AVPacket, FreeThrough<av_packet_free>>;
using CodecContext = std::unique_ptr<AVCodecContext, FreeThrough<avcodec_free_context>>;
using InputContext = std::unique_ptr<AVFormatContext, FreeThrough<avformat_close_input>>;
using OutputContext = std::unique_ptr<AVFormatContext, FreeDirect<avformat_free_context>>;
using Io = std::unique_ptr<AVIOContext, FreeThrough<avio_closep>>;
using BitstreamFilter = std::unique_ptr<AVBSFContext, FreeThrough<av_bsf_free>>;
using Buffer = std::unique_ptr<AVBufferRef, FreeThrough<av_buffer_unref>>;
using BufferPool = std::unique_ptr<AVBufferPool, FreeThrough<av_buffer_pool_uninit>>;
using Scaler = std::unique_ptr<SwsContext, FreeDirect<sws_freeContext>>;

/// New ones; throw Error(resource) when there is no memory.
Frame make_frame();
Packet make_packet();

/// A dictionary of options, freed at the end of its scope.
class Dictionary {
public:
    Dictionary() = default;
    ~Dictionary() { av_dict_free(&dictionary_); }
    Dictionary(const Dictionary&) = delete;
    Dictionary& operator=(const Dictionary&) = delete;

    void set(const char* key, const std::string& value) { av_dict_set(&dictionary_, key, value.c_str(), 0); }
    void set(const char* key, std::int64_t value) { av_dict_set_int(&dictionary_, key, value, 0); }
    AVDictionary** address() { return &dictionary_; }

private:
    AVDictionary* dictionary_ = nullptr;
};

/// FFmpeg's words for a return code.
std::string describe(int code);

/// Throws Error(kind), or Error(resource) where `code` says that memory or disk ran out.
[[noreturn]] void fail(ErrorKind kind, int code, std::string doing, std::string subject, std::string hint = {});

/// `code` where it is no error, else fail().
int check(int code, ErrorKind kind, const char* doing, const std::string& subject);

AVRational to_av(Rational value);
Rational from_av(AVRational value);

/// What moved between FFmpeg versions.
bool is_key_frame(const AVFrame& frame);
bool is_interlaced(const AVFrame& frame);
bool is_top_field_first(const AVFrame& frame);
void mark_interlaced(AVFrame& frame, bool top_field_first);
std::int64_t duration_of(const AVFrame& frame);   ///< in the packet's time base; 0 = unknown

/// The formats an encoder takes, ended by AV_PIX_FMT_NONE; nullptr = it does not say.
const AVPixelFormat* encoder_formats(const AVCodec& codec);

/// Gives `to` the side data of this type of `from`, if it has any.
void copy_side_data(const AVStream& from, AVStream& to, AVPacketSideDataType type);
/// All of it. Codec parameters, where newer versions keep it, must have been copied before.
void copy_all_side_data(const AVStream& from, AVStream& to);

/// Side data of a stream in the container; nullptr = none. `size` in bytes.
const std::uint8_t* side_data(const AVStream& stream, AVPacketSideDataType type, std::size_t& size);
/// Sets it, instead of what is there. Throws Error(resource).
void set_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, std::size_t size);

}   // namespace millstream::av
