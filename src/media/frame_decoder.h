// Packets of one stream -> frames in presentation order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "media/av.h"
#include "media/decoder.h"
#include "media/demuxer.h"
#include "media/log.h"

namespace millstream {

/// A codec context that is fed and emptied. With settings.hwaccel the device decodes, and frames are fetched to the
/// host unless settings.stay says that they stay; a stream the device cannot decode (profile, size) falls back to
/// software.
class FrameDecoder {
public:
    enum class Result {
        frame,          ///< `frame` holds one
        needs_packet,   ///< send() more
        finished,       ///< drained
        damaged         ///< something could not be decoded; call again
    };

    /// Throws Error(input): no decoder, parameters the decoder refuses; Error(usage): the device is unknown or absent.
    /// `demuxer` tells the stream's parameters and the limits; it is not kept.
    FrameDecoder(const Demuxer& demuxer, int stream, const DecoderSettings& settings);
    FrameDecoder(const FrameDecoder&) = delete;   // the codec context points at this
    FrameDecoder& operator=(const FrameDecoder&) = delete;

    /// Gives a packet; false = the decoder refuses it as damaged.
    bool send(const AVPacket& packet);
    /// No more packets: receive() gives what is left.
    void drain();
    Result receive(AVFrame& frame);

    /// Frames with damaged or missing parts so far; of those that libavcodec is still at, too.
    [[nodiscard]] std::int64_t concealed() const { return std::max(flagged_, concealments_.count()); }
    [[nodiscard]] const AVCodecContext& context() const { return *context_; }
    /// What the decoder said when it last refused or damaged something; may be empty.
    [[nodiscard]] const std::string& complaint() const { return complaint_; }

private:
    void open_device(const AVCodec& codec, const DecoderSettings& settings, const std::string& file);
    static AVPixelFormat choose_format(AVCodecContext* context, const AVPixelFormat* formats);

    av::Buffer device_;
    bool stays_ = false;
    AVPixelFormat device_format_ = AV_PIX_FMT_NONE;
    ConcealmentCounter concealments_{this};   // Note [Concealment]
    std::int64_t flagged_ = 0;
    av::CodecContext context_;   // its threads end before what they count with
    std::string complaint_;
};

// Surfaces of NVIDIA's decoder, 32 at most: besides those for reference FFmpeg takes five, one for each thread, and as
// many as are held outside, by the stage that decodes, the queue behind it and the stage that copies.
inline constexpr int kSurfacesOfFFmpeg = 5;
inline constexpr int kThreadsBesideDevice = 4;   // enough for a stream that the device turns out not to take
inline constexpr int kFramesOfOurs = 6;

/// Threads for `requested`: itself, or for 0 one for each usable CPU, 16 at most (what FFmpeg's own choice is capped
/// at).
int decoder_threads(int requested);

/// The first frame that a decoder gives of a stream, film grain left as side data; nullptr, with what the decoder said,
/// where 2000 packets give none. Only that stream is read from then on.
av::Frame first_frame(Demuxer& demuxer, int stream, std::string& complaint);

}   // namespace millstream
