#include "media/decoder.h"

#include <algorithm>
#include <utility>

#include "media/av.h"
#include "media/crop_frame.h"
#include "media/deinterlacer.h"
#include "media/demuxer.h"
#include "media/frame_decoder.h"
#include "media/frame_fitter.h"
#include "media/pixel_formats.h"
#include "media/rising_pts.h"

namespace millstream {
namespace {

Shape shape_of(const VideoStreamInfo& video) {
    return {video.width, video.height, video.sample_aspect};
}

std::int64_t nominal_ticks(const StreamInfo& stream) {
    const Rational rate = stream.video->average_rate;
    constexpr std::int64_t kMost = std::int64_t{1} << 32;   // far from overflow however many frames have no time stamp
    const std::int64_t ticks =
        rate.num <= 0 ? 1 : av_rescale_q(1, av_inv_q(av::to_av(rate)), av::to_av(stream.time_base));
    return std::clamp<std::int64_t>(ticks, 1, kMost);
}

// A decoder that only fails is given up on: no file makes us loop for ever.
constexpr int kMostFailuresInARow = 10000;

}   // namespace

struct VideoDecoder::State {
    State(const SourceInfo& source, const DecoderSettings& settings)
        : video(*source.video().video),
          demuxer(source),
          decoder(demuxer, checked_stream(source), settings),
          fitter(video.format, shape_of(video), video.colour.full_range, video.colour.matrix),
          rising_pts(nominal_ticks(source.video())),
          crop(settings.crop) {
        demuxer.select({source.video_stream});
        if (settings.start_s > 0) {
            demuxer.seek_near(settings.start_s);
        }
        if (settings.deinterlacing.rate != DeinterlacedRate::none) {
            const FilterInput input{to_av(video.format), video.width, video.height, av::to_av(video.sample_aspect)};
            deinterlacer.emplace(input, settings.deinterlacing, decoder_threads(settings.threads));
        }
    }

    int checked_stream(const SourceInfo& source) const {
        if (source.video_stream < 0 || source.video_stream >= demuxer.streams()) {
            throw Error(ErrorKind::input, {"opening the input", demuxer.name(),
                                           "the file has changed since it was looked at", "Start again"});
        }
        return source.video_stream;
    }

    std::optional<av::Frame> next_frame();
    void feed();
    av::Frame finish(av::Frame frame);
    std::optional<Picture> next_picture();
    std::optional<Picture> next_deinterlaced();
    Picture picture_of(av::Frame frame, std::int64_t duration) const;

    VideoStreamInfo video;
    Demuxer demuxer;
    FrameDecoder decoder;
    FrameFitter fitter;
    RisingPts rising_pts;
    std::optional<CropArea> crop;
    std::optional<Deinterlacer> deinterlacer;
    bool ended = false;   // the deinterlacer has had the last frame
    av::Packet packet = av::make_packet();
    bool draining = false;
    int failures_in_a_row = 0;
    DecodeStatistics statistics;
    std::int64_t refused_packets = 0;
};

std::optional<av::Frame> VideoDecoder::State::next_frame() {
    while (failures_in_a_row < kMostFailuresInARow) {
        av::Frame frame = av::make_frame();
        switch (decoder.receive(*frame)) {
            case FrameDecoder::Result::frame:
                failures_in_a_row = 0;
                return frame;
            case FrameDecoder::Result::needs_packet:
                feed();
                break;
            case FrameDecoder::Result::finished:
                return std::nullopt;
            case FrameDecoder::Result::damaged:
                ++refused_packets;
                ++failures_in_a_row;
                break;
        }
    }
    statistics.truncated = true;
    return std::nullopt;
}

void VideoDecoder::State::feed() {
    if (!draining && demuxer.read(*packet)) {
        if (!decoder.send(*packet) && (packet->flags & AV_PKT_FLAG_CORRUPT) == 0) {   // else the demuxer has counted it
            ++refused_packets;
        }
        return;
    }
    failures_in_a_row += draining ? 1 : 0;   // a drained decoder that asks for more
    draining = true;
    decoder.drain();
}

// Counts what is wrong with the frame and brings it to the size, format and rising pts of all.
av::Frame VideoDecoder::State::finish(av::Frame frame) {
    const bool concealed = frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
    statistics.concealed_frames += concealed ? 1 : 0;
    const std::optional<std::int64_t> pts =
        frame->best_effort_timestamp == AV_NOPTS_VALUE ? std::nullopt : std::optional(frame->best_effort_timestamp);
    if (crop) {
        cut_out(*frame, *crop);
    }
    av::Frame fitted = fitter.fit(std::move(frame));
    fitted->pts = rising_pts.next(pts);
    return fitted;
}

Picture VideoDecoder::State::picture_of(av::Frame frame, std::int64_t duration) const {
    const std::int64_t pts = frame->pts;
    Picture picture = to_picture(std::move(frame), video.format);
    picture.colour = video.colour;
    picture.pts = pts;
    picture.duration = duration > 0 ? duration : 0;
    return picture;
}

std::optional<Picture> VideoDecoder::State::next_picture() {
    if (deinterlacer) {
        return next_deinterlaced();
    }
    std::optional<av::Frame> frame = next_frame();
    if (!frame) {
        return std::nullopt;
    }
    const std::int64_t duration = av::duration_of(**frame);
    return picture_of(finish(*std::move(frame)), duration);
}

std::optional<Picture> VideoDecoder::State::next_deinterlaced() {
    for (;;) {
        if (auto ready = deinterlacer->pull()) {
            return picture_of(std::move(ready->frame), ready->duration);
        }
        if (ended) {
            return std::nullopt;
        }
        if (std::optional<av::Frame> frame = next_frame()) {
            const std::int64_t duration = av::duration_of(**frame);
            deinterlacer->push(finish(*std::move(frame)), duration);
        } else {
            deinterlacer->end();
            ended = true;
        }
    }
}

VideoDecoder::VideoDecoder(const SourceInfo& source, const DecoderSettings& settings)
    : state_(std::make_unique<State>(source, settings)) {}
VideoDecoder::~VideoDecoder() = default;
VideoDecoder::VideoDecoder(VideoDecoder&&) noexcept = default;
VideoDecoder& VideoDecoder::operator=(VideoDecoder&&) noexcept = default;

std::optional<Picture> VideoDecoder::next() {
    State& state = *state_;
    std::optional<Picture> picture = state.next_picture();
    DecodeStatistics& statistics = state.statistics;
    statistics.frames += picture ? 1 : 0;
    statistics.corrupt_packets = state.demuxer.corrupt_packets() + state.refused_packets;
    statistics.repaired_pts = state.rising_pts.repaired();
    statistics.resized_frames = state.fitter.resampled();
    statistics.truncated = statistics.truncated || state.demuxer.truncated();
    return picture;
}

const DecodeStatistics& VideoDecoder::statistics() const {
    return state_->statistics;
}

}   // namespace millstream
