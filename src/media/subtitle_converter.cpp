#include "media/subtitle_converter.h"

#include <cstring>

#include "media/log.h"

namespace millstream {
namespace {

constexpr const char* kConverting = "converting subtitles";
constexpr std::size_t kMostBytes = std::size_t{1} << 20;   // of one packet; a page of text is a few hundred

// Owns what a decoder has put into it.
struct Subtitle {
    AVSubtitle value{};
    Subtitle() = default;
    Subtitle(const Subtitle&) = delete;
    Subtitle& operator=(const Subtitle&) = delete;
    ~Subtitle() { avsubtitle_free(&value); }
};

av::CodecContext make_context(const AVCodec* codec, const std::string& name, const char* what) {
    if (codec == nullptr) {
        throw Error(ErrorKind::usage, {kConverting, name, std::string("this FFmpeg has no ") + what + " for it",
                                       "Leave them out with --subtitles none, or write .mkv"});
    }
    av::CodecContext context(avcodec_alloc_context3(codec));
    if (!context) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kConverting, name);
    }
    return context;
}

// The ASS header, in which FFmpeg's text decoders and encoders speak to each other.
void copy_header(const AVCodecContext& from, AVCodecContext& to) {
    if (from.subtitle_header == nullptr) {
        return;
    }
    const auto size = static_cast<std::size_t>(from.subtitle_header_size);
    to.subtitle_header = static_cast<std::uint8_t*>(av_mallocz(size + 1));
    if (to.subtitle_header == nullptr) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kConverting, "");
    }
    std::memcpy(to.subtitle_header, from.subtitle_header, size);
    to.subtitle_header_size = from.subtitle_header_size;
}

}   // namespace

SubtitleConverter::SubtitleConverter(const AVStream& from, const std::string& codec, const std::string& file)
    : buffer_(kMostBytes) {
    const LogCapture log;
    const std::string subject = file + ", stream " + std::to_string(from.index);
    const char* name = avcodec_get_name(from.codecpar->codec_id);
    decoder_ = make_context(avcodec_find_decoder(from.codecpar->codec_id), name, "decoder");
    av::check(avcodec_parameters_to_context(decoder_.get(), from.codecpar), ErrorKind::input, kConverting, subject);
    decoder_->pkt_timebase = from.time_base;
    av::check(avcodec_open2(decoder_.get(), decoder_->codec, nullptr), ErrorKind::input, kConverting, subject);

    encoder_ = make_context(avcodec_find_encoder_by_name(codec == "subrip" ? "srt" : codec.c_str()), codec, "encoder");
    copy_header(*decoder_, *encoder_);
    encoder_->time_base = AVRational{1, 1000};
    av::check(avcodec_open2(encoder_.get(), encoder_->codec, nullptr), ErrorKind::internal, kConverting, subject);
}

void SubtitleConverter::copy_parameters(AVCodecParameters& to) const {
    av::check(avcodec_parameters_from_context(&to, encoder_.get()), ErrorKind::resource, kConverting, "");
    to.codec_tag = 0;
    // "srt" writes what the codec id SUBRIP is.
    to.codec_id = encoder_->codec_id == AV_CODEC_ID_SRT ? AV_CODEC_ID_SUBRIP : encoder_->codec_id;
}

bool SubtitleConverter::convert(AVPacket& packet) {
    const LogCapture log;
    Subtitle subtitle;
    int decoded = 0;
    if (avcodec_decode_subtitle2(decoder_.get(), &subtitle.value, &decoded, &packet) < 0) {
        ++damaged_;
        return false;
    }
    if (decoded == 0 || subtitle.value.num_rects == 0) {
        return false;
    }
    subtitle.value.pts = 0;
    const int size =
        avcodec_encode_subtitle(encoder_.get(), buffer_.data(), static_cast<int>(buffer_.size()), &subtitle.value);
    if (size <= 0) {
        ++damaged_;
        return false;
    }
    const av::Packet converted = av::make_packet();
    av::check(av_new_packet(converted.get(), size), ErrorKind::resource, kConverting, "");
    std::memcpy(converted->data, buffer_.data(), static_cast<std::size_t>(size));
    converted->pts = packet.pts;
    converted->dts = packet.dts;
    converted->duration = packet.duration;
    converted->flags = packet.flags;
    converted->stream_index = packet.stream_index;
    av_packet_unref(&packet);
    av_packet_move_ref(&packet, converted.get());
    return true;
}

}   // namespace millstream
