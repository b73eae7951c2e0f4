#include "media/late_streams.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace millstream {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{512} << 20;
constexpr int kMostPackets = 50;   // of one stream that decode to nothing

// A muxer needs to know it.
bool has_parameters(const AVCodecParameters& codec) {
    return codec.codec_type != AVMEDIA_TYPE_AUDIO || codec.sample_rate > 0;
}

struct Unknown {
    AVStream* stream;
    av::CodecContext decoder;
    int tried = 0;
};

std::vector<Unknown> unknown_streams(AVFormatContext& file) {
    std::vector<Unknown> unknown;
    for (unsigned i = 0; i < file.nb_streams; ++i) {
        const AVCodecParameters& codec = *file.streams[i]->codecpar;
        const AVCodec* decoder = has_parameters(codec) ? nullptr : avcodec_find_decoder(codec.codec_id);
        av::CodecContext context(decoder == nullptr ? nullptr : avcodec_alloc_context3(decoder));
        if (context && avcodec_parameters_to_context(context.get(), &codec) >= 0 &&
            avcodec_open2(context.get(), decoder, nullptr) >= 0) {
            unknown.push_back({file.streams[i], std::move(context)});
        }
    }
    return unknown;
}

// What one frame says is what the stream is. True when it is known, or is given up.
bool learn(Unknown& unknown, const AVPacket& packet, AVFrame& frame) {
    if (avcodec_send_packet(unknown.decoder.get(), &packet) < 0 ||
        avcodec_receive_frame(unknown.decoder.get(), &frame) < 0) {
        return ++unknown.tried == kMostPackets;
    }
    av_frame_unref(&frame);
    return avcodec_parameters_from_context(unknown.stream->codecpar, unknown.decoder.get()) < 0 ||
           has_parameters(*unknown.stream->codecpar);
}

}   // namespace

void LateParameters::find(AVFormatContext& file) {
    std::vector<Unknown> unknown = unknown_streams(file);
    if (unknown.empty()) {
        return;
    }
    const av::Packet packet = av::make_packet();
    const av::Frame frame = av::make_frame();
    while (!unknown.empty() && avio_tell(file.pb) < kMostBytes && av_read_frame(&file, packet.get()) >= 0) {
        const auto its = std::find_if(unknown.begin(), unknown.end(),
                                      [&](const Unknown& one) { return one.stream->index == packet->stream_index; });
        if (its != unknown.end() && learn(*its, *packet, *frame)) {
            Found found{its->stream->index, {avcodec_parameters_alloc(), {}}};
            if (found.codec && avcodec_parameters_copy(found.codec.get(), its->stream->codecpar) >= 0) {
                found_.push_back(std::move(found));
            }
            unknown.erase(its);
        }
        av_packet_unref(packet.get());
    }
    av_seek_frame(&file, -1, 0, AVSEEK_FLAG_BYTE);
    restore(file);
}

void LateParameters::restore(AVFormatContext& file) const {
    for (const Found& found : found_) {
        AVCodecParameters& codec = *file.streams[found.stream]->codecpar;
        if (!has_parameters(codec)) {
            av::check(avcodec_parameters_copy(&codec, found.codec.get()), ErrorKind::resource, "reading the input",
                      file.url == nullptr ? "" : file.url);
        }
    }
}

}   // namespace millstream
