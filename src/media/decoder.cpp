#include "media/decoder.h"

#include <utility>

#include "media/av.h"
#include "media/demuxer.h"
#include "media/frame_decoder.h"
#include "media/frame_fitter.h"
#include "media/rising_pts.h"
#include "media/turn.h"

namespace millstream {
namespace {

// What comes out of the decoder: before it is turned. The transpose of a turn undoes it.
Orientation way_back(const VideoStreamInfo& video) {
    const Orientation way = video.turned ? *video.orientation : Orientation{};
    return {way.a, way.c, way.b, way.d};
}

Shape shape_of(const VideoStreamInfo& video) {
    const Orientation back = way_back(video);
    const Size size = turned(Size{video.width, video.height}, back);
    return {size.width, size.height, turned(video.sample_aspect, back)};
}

std::int64_t nominal_ticks(const StreamInfo& stream) {
    const Rational rate = stream.video->average_rate;
    return rate.num <= 0 ? 1 : av_rescale_q(1, av_inv_q(av::to_av(rate)), av::to_av(stream.time_base));
}

// A decoder that only fails is given up on: no file makes us loop for ever.
constexpr int kMostFailuresInARow = 10000;

}   // namespace

struct VideoDecoder::State {
    State(const SourceInfo& source, const DecoderSettings& settings)
        : video(*source.video().video),
          demuxer(source.path),
          decoder(checked_stream(source), settings, demuxer.name()),
          fitter(turned(video.format, way_back(video)), shape_of(video), video.colour.full_range, video.colour.matrix),
          rising_pts(nominal_ticks(source.video())) {
        strict = settings.strict;
        demuxer.select({source.video_stream});
    }

    const AVStream& checked_stream(const SourceInfo& source) const {
        if (source.video_stream < 0 || source.video_stream >= demuxer.streams()) {
            throw Error(ErrorKind::input, {"opening the input", demuxer.name(),
                                           "the file has changed since it was looked at", "Start again"});
        }
        return demuxer.stream(source.video_stream);
    }

    std::optional<av::Frame> next_frame();
    void feed();
    Picture finish(av::Frame frame);
    void count();
    void check_strict() const;

    VideoStreamInfo video;
    bool strict = false;
    Demuxer demuxer;
    FrameDecoder decoder;
    FrameFitter fitter;
    RisingPts rising_pts;
    PicturePool turned_pictures{video.format, video.width, video.height};
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

Picture VideoDecoder::State::finish(av::Frame frame) {
    const bool concealed = frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
    statistics.concealed_frames += concealed ? 1 : 0;
    const std::optional<std::int64_t> pts =
        frame->best_effort_timestamp == AV_NOPTS_VALUE ? std::nullopt : std::optional(frame->best_effort_timestamp);
    const std::int64_t duration = av::duration_of(*frame);
    Picture picture = to_picture(fitter.fit(std::move(frame)), turned(video.format, way_back(video)));
    if (video.turned) {
        picture = turn(picture, *video.orientation, turned_pictures);
    }
    picture.colour = video.colour;
    picture.pts = rising_pts.next(pts);
    picture.duration = duration > 0 ? duration : 0;
    ++statistics.frames;
    return picture;
}

void VideoDecoder::State::count() {
    statistics.corrupt_packets = demuxer.corrupt_packets() + refused_packets;
    statistics.repaired_pts = rising_pts.repaired();
    statistics.missing_pts = rising_pts.missing();
    statistics.repeated_pts = rising_pts.repeated();
    statistics.backward_pts = rising_pts.backward();
    statistics.clock_jumps = demuxer.clock_jumps();
    statistics.resized_frames = fitter.resampled();
    statistics.truncated = statistics.truncated || demuxer.truncated();
}

void VideoDecoder::State::check_strict() const {
    if (!strict) {
        return;
    }
    const std::vector<std::string> found = describe_damage(statistics);
    if (!found.empty()) {
        throw Error(ErrorKind::difference,
                    {"decoding the video", demuxer.name() + ", frame " + std::to_string(statistics.frames),
                     found.front(), "Without --strict it is repaired and counted"});
    }
}

std::vector<std::string> describe_damage(const DecodeStatistics& decoded) {
    std::vector<std::string> sentences;
    const auto add = [&](std::int64_t count, const char* what) {
        if (count > 0) {
            sentences.push_back(std::to_string(count) + " " + what);
        }
    };
    add(decoded.corrupt_packets, "damaged packets could not be decoded");
    add(decoded.concealed_frames, "frames were decoded with damaged or missing parts");
    add(decoded.missing_pts, "frames had no time stamp, and got one at the nominal rate");
    add(decoded.repeated_pts, "time stamps were repeated, and were moved apart");
    add(decoded.backward_pts, "time stamps went backwards, and were repaired");
    add(decoded.clock_jumps, "times the file's clock started again, and was joined");
    add(decoded.resized_frames, "frames had another size or format than the first and were brought to it");
    if (decoded.truncated) {
        sentences.emplace_back("the input ends in the middle: it is truncated or damaged");
    }
    return sentences;
}

VideoDecoder::VideoDecoder(const SourceInfo& source, const DecoderSettings& settings)
    : state_(std::make_unique<State>(source, settings)) {}
VideoDecoder::~VideoDecoder() = default;
VideoDecoder::VideoDecoder(VideoDecoder&&) noexcept = default;
VideoDecoder& VideoDecoder::operator=(VideoDecoder&&) noexcept = default;

std::optional<Picture> VideoDecoder::next() {
    State& state = *state_;
    std::optional<Picture> picture;
    if (auto frame = state.next_frame()) {
        picture = state.finish(std::move(*frame));
    }
    state.count();
    state.check_strict();
    return picture;
}

const DecodeStatistics& VideoDecoder::statistics() const {
    return state_->statistics;
}

}   // namespace millstream
