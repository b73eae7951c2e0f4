#include "media/output.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "media/av.h"
#include "media/frame_clock.h"
#include "media/muxer.h"
#include "media/stream_copy.h"
#include "media/video_encoder.h"

namespace millstream {
namespace {

// Note [Output time line]
// One shift for all streams, so that A/V offsets stay. It is the source's start (MPEG-TS often begins at 1.4 s), in
// whole ticks of the video stream, so that video time stamps are not rounded; other streams round it to their own
// ticks.
//   MP4, MOV  hold what is then negative (dts before reordering, audio priming) in edit lists. The video track counts
//   in
//             the source's ticks, and edit lists in a scale fine enough for every stream's start.
//   Matroska  holds no negative time stamp: all streams are lifted by the lowest one. It counts in milliseconds. Opus
//             packets are stored later by their codec delay, which every reader takes off again.
struct Track {
    explicit Track(AVRational time_base) : source_time_base(time_base) {}

    AVRational source_time_base;
    std::int64_t shift = 0;   // in source_time_base, subtracted
    std::int64_t lift = 0;    // in the muxer's time base, added
    std::int64_t rescale_state = AV_NOPTS_VALUE;
    std::optional<std::int64_t> last_dts;
};

constexpr int kVideoTrack = 0;

// Timescales must fit 32 bits, and durations in them should stay far from 63.
constexpr std::int64_t kMostTimescale = std::numeric_limits<std::int32_t>::max();

// StreamCopy counts its tracks from 0; here the video comes before them.
std::size_t track_of(const AVPacket& copied) {
    return static_cast<std::size_t>(copied.stream_index) + 1;
}

bool is_constant_rate(const VideoStreamInfo& video) {
    const double nominal = video.nominal_rate.value();
    const double average = video.average_rate.value();
    return nominal > 0 && average > 0 && std::abs(nominal / average - 1) < 0.01;
}

}   // namespace

struct VideoOutput::State {
    State(const OutputSpec& spec, const SourceInfo& source);

    void add_video_stream();
    void add_copied_streams();
    MovTiming choose_mov_timing() const;
    std::int64_t common_shift(std::int64_t first_video_pts) const;
    void set_time_line(std::int64_t first_pts);
    std::int64_t lowest_matroska_time() const;
    std::int64_t codec_delay(std::size_t copied) const;
    void collect_packets();
    void write_ready_video(bool no_more_pictures);
    void write_video(AVPacket& packet);
    void write_copied_up_to(std::int64_t video_dts);
    void write_copied_shown_before(std::int64_t video_pts);
    void write_rest_of_copied();
    void write_copied(AVPacket& packet);
    void mux(AVPacket& packet, Track& track);

    OutputSpec spec;
    const StreamInfo video_stream;
    AVRational video_time_base;
    VideoEncoder encoder;
    StreamCopy copy;
    Muxer muxer;   // last: it creates the file, and nothing is left behind where the others refuse
    FrameClock clock;
    std::vector<Track> tracks;        // the video, then the copied streams
    std::deque<av::Packet> waiting;   // encoded; for the next picture's time stamp, which gives the duration
    av::Packet packet = av::make_packet();
    std::int64_t last_dts_index = std::numeric_limits<std::int64_t>::min();
    bool time_line_set = false;
    OutputStatistics statistics;
};

VideoOutput::State::State(const OutputSpec& spec_, const SourceInfo& source)
    : spec(spec_),
      video_stream(source.video()),
      video_time_base(av::to_av(video_stream.time_base)),
      encoder(spec.encoder, Muxer::wants_global_header(spec.container)),
      copy(source, spec.copied_streams, spec.container),
      muxer(spec.path, spec.container),
      clock(av_rescale_q(1, av_inv_q(av::to_av(spec.encoder.frame_rate)), video_time_base)) {
    add_video_stream();
    add_copied_streams();
    muxer.write_header(choose_mov_timing());
    statistics.bytes = muxer.bytes();
}

void VideoOutput::State::add_video_stream() {
    AVStream& stream = muxer.add_stream();
    const AVCodecContext& context = encoder.context();
    av::check(avcodec_parameters_from_context(stream.codecpar, &context), ErrorKind::resource, "creating the output",
              spec.path.string());
    if (context.codec_id == AV_CODEC_ID_HEVC && muxer.is_mov()) {
        stream.codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');   // what Apple's players ask for
    }
    stream.time_base = video_time_base;
    stream.sample_aspect_ratio = context.sample_aspect_ratio;
    if (is_constant_rate(*video_stream.video)) {
        stream.avg_frame_rate = context.framerate;
    }
    if (video_stream.index < copy.demuxer().streams()) {
        const AVStream& source = copy.demuxer().stream(video_stream.index);
        stream.disposition = source.disposition;
        av::copy_display_matrix(source, stream);
    }
    if (!video_stream.language.empty()) {
        av_dict_set(&stream.metadata, "language", video_stream.language.c_str(), 0);
    }
    if (!video_stream.title.empty()) {
        av_dict_set(&stream.metadata, "title", video_stream.title.c_str(), 0);
    }
    tracks.emplace_back(video_time_base);
}

void VideoOutput::State::add_copied_streams() {
    for (std::size_t i = 0; i < copy.size(); ++i) {
        AVStream& stream = muxer.add_stream();
        copy.copy_parameters(i, stream);
        tracks.emplace_back(stream.time_base);
    }
}

// The video track's scale is the source's own, an audio track's its sample rate. Edit lists, which hold where a track
// begins, count in the movie's: the usual 1000 where every beginning is a whole number of milliseconds (the muxer
// rounds down), else a scale that holds all of them.
MovTiming VideoOutput::State::choose_mov_timing() const {
    MovTiming timing{video_time_base.den, 1000};
    const std::int64_t shift = common_shift(video_stream.start_pts);
    std::int64_t exact = video_time_base.den;
    bool all_whole = true;
    const auto look_at = [&](std::int64_t start, AVRational time_base, int scale) {
        const AVRational track{1, scale};
        const AVRational milliseconds{1, 1000};
        const std::int64_t begin =
            av_rescale_q(start - av_rescale_q(shift, video_time_base, time_base), time_base, track);
        const std::int64_t rounded = av_rescale_q(begin, track, milliseconds);
        // Before zero it is priming or reordering, which is held in the track's own scale.
        all_whole = all_whole && (begin <= 0 || av_compare_ts(rounded, milliseconds, begin, track) == 0);
        exact = exact > kMostTimescale ? exact : std::lcm(exact, std::int64_t{scale});
    };
    look_at(video_stream.start_pts, video_time_base, video_time_base.den);
    for (std::size_t i = 0; i < copy.size(); ++i) {
        const AVStream& stream = copy.source_stream(i);
        const int rate = stream.codecpar->sample_rate;
        look_at(copy.first_pts(i).value_or(0), stream.time_base, rate > 0 ? rate : stream.time_base.den);
    }
    if (!all_whole) {
        timing.movie_timescale = static_cast<int>(exact > kMostTimescale ? 90000 : exact);
    }
    return timing;
}

// The source's start in ticks of the video, but no picture before zero: an edit list would hide it.
std::int64_t VideoOutput::State::common_shift(std::int64_t first_video_pts) const {
    const std::int64_t start = copy.demuxer().context().start_time;
    return start == AV_NOPTS_VALUE ? std::min<std::int64_t>(first_video_pts, 0)
                                   : std::min(av_rescale_q(start, AV_TIME_BASE_Q, video_time_base), first_video_pts);
}

void VideoOutput::State::set_time_line(std::int64_t first_pts) {
    const std::int64_t shift = common_shift(first_pts);
    for (std::size_t i = 0; i < tracks.size(); ++i) {
        tracks[i].shift = av_rescale_q(shift, video_time_base, tracks[i].source_time_base);
    }
    if (muxer.is_matroska()) {
        for (std::size_t i = 0; i < copy.size(); ++i) {
            tracks[i + 1].lift = codec_delay(i);
        }
        const std::int64_t lowest = std::min<std::int64_t>(lowest_matroska_time(), 0);
        for (Track& track : tracks) {
            track.lift -= lowest;
        }
    }
    time_line_set = true;
}

// Of the first packets, in the muxer's milliseconds, as they would be stored. The video begins at or above zero.
std::int64_t VideoOutput::State::lowest_matroska_time() const {
    std::int64_t lowest = 0;
    for (std::size_t i = 0; i < copy.size(); ++i) {
        const Track& track = tracks[i + 1];
        if (const auto first = copy.first_pts(i)) {
            const AVRational time_base = muxer.stream(static_cast<int>(i) + 1).time_base;
            lowest =
                std::min(lowest, av_rescale_q(*first - track.shift, track.source_time_base, time_base) + track.lift);
        }
    }
    return lowest;
}

// matroskaenc stores CodecDelay for Opus and leaves the time stamps to its caller; matroskadec subtracts it.
std::int64_t VideoOutput::State::codec_delay(std::size_t copied) const {
    const AVStream& stream = muxer.stream(static_cast<int>(copied) + 1);
    if (stream.codecpar->codec_id != AV_CODEC_ID_OPUS) {
        return 0;
    }
    return av_rescale_q(stream.codecpar->initial_padding, AVRational{1, 48000}, stream.time_base);
}

void VideoOutput::State::collect_packets() {
    while (encoder.receive(*packet)) {
        waiting.push_back(std::exchange(packet, av::make_packet()));
    }
}

void VideoOutput::State::write_ready_video(bool no_more_pictures) {
    while (!waiting.empty() && (no_more_pictures || clock.knows_next(waiting.front()->pts))) {
        write_video(*waiting.front());
        waiting.pop_front();
    }
}

void VideoOutput::State::write_video(AVPacket& encoded) {
    const std::int64_t index = encoded.pts;
    // Note [Frame indices]. An encoder without reordering may leave dts out.
    std::int64_t dts_index = encoded.dts == AV_NOPTS_VALUE ? index : std::min(encoded.dts, index);
    dts_index = std::max(dts_index, last_dts_index + 1);
    if (dts_index > index) {
        throw Error(ErrorKind::internal, {"writing a packet", "picture " + std::to_string(index),
                                          "the encoder gave it too late to be decoded in time", ""});
    }
    last_dts_index = dts_index;
    encoded.pts = clock.at(index);
    encoded.dts = clock.at(dts_index);
    encoded.duration = clock.duration_of(index);
    encoded.stream_index = kVideoTrack;
    clock.forget_below(dts_index + 1);
    write_copied_up_to(encoded.dts);
    mux(encoded, tracks[kVideoTrack]);
    ++statistics.frames;
}

void VideoOutput::State::write_copied_up_to(std::int64_t video_dts) {
    for (AVPacket* next = copy.peek(); next != nullptr; next = copy.peek()) {
        const AVRational time_base = tracks[track_of(*next)].source_time_base;
        if (av_compare_ts(next->dts, time_base, video_dts, video_time_base) > 0) {
            return;
        }
        write_copied(*next);
        copy.pop();
    }
}

// For a job that was stopped. Streams may be interleaved badly: all are looked at until each has come so far.
void VideoOutput::State::write_copied_shown_before(std::int64_t video_pts) {
    std::vector<bool> done(tracks.size(), false);
    std::size_t left = copy.size();
    for (AVPacket* next = copy.peek(); next != nullptr && left > 0; next = copy.peek()) {
        const std::size_t track = track_of(*next);
        if (av_compare_ts(next->pts, tracks[track].source_time_base, video_pts, video_time_base) < 0) {
            write_copied(*next);
        } else if (!done[track]) {
            done[track] = true;
            --left;
        }
        copy.pop();
    }
}

void VideoOutput::State::write_rest_of_copied() {
    for (AVPacket* next = copy.peek(); next != nullptr; next = copy.peek()) {
        write_copied(*next);
        copy.pop();
    }
}

void VideoOutput::State::write_copied(AVPacket& copied) {
    Track& track = tracks[track_of(copied)];
    ++copied.stream_index;   // behind the video
    mux(copied, track);
    ++statistics.copied_packets;
}

// From the source's time base to the muxer's. Audio that comes in coarser ticks than samples (Matroska's milliseconds)
// is counted in samples again, as ffmpeg does, so that its packets do not jitter.
void VideoOutput::State::mux(AVPacket& out, Track& track) {
    const AVStream& stream = muxer.stream(out.stream_index);
    const AVCodecParameters& parameters = *stream.codecpar;
    const std::int64_t offset = out.pts - out.dts;
    std::int64_t dts = out.dts - track.shift;
    if (parameters.codec_type == AVMEDIA_TYPE_AUDIO && parameters.sample_rate > 0) {
        int samples = av_get_audio_frame_duration2(const_cast<AVCodecParameters*>(&parameters), out.size);
        samples = samples > 0 ? samples : parameters.frame_size;
        dts = av_rescale_delta(track.source_time_base, dts, AVRational{1, parameters.sample_rate}, samples,
                               &track.rescale_state, stream.time_base);
    } else {
        dts = av_rescale_q(dts, track.source_time_base, stream.time_base);
    }
    const std::int64_t pts =
        offset == 0 ? dts : av_rescale_q(out.pts - track.shift, track.source_time_base, stream.time_base);
    out.duration = av_rescale_q(out.duration, track.source_time_base, stream.time_base);
    out.dts = dts + track.lift;
    out.pts = pts + track.lift;
    if (track.last_dts) {
        const bool may_repeat = (muxer.format().flags & AVFMT_TS_NONSTRICT) != 0;
        out.dts = std::max(out.dts, *track.last_dts + (may_repeat ? 0 : 1));
    }
    out.pts = std::max(out.pts, out.dts);
    track.last_dts = out.dts;
    out.time_base = stream.time_base;
    muxer.write(out);
    statistics.bytes = muxer.bytes();
}

VideoOutput::VideoOutput(const OutputSpec& spec, const SourceInfo& source)
    : state_(std::make_unique<State>(spec, source)) {}
VideoOutput::~VideoOutput() = default;
VideoOutput::VideoOutput(VideoOutput&&) noexcept = default;
VideoOutput& VideoOutput::operator=(VideoOutput&&) noexcept = default;

void VideoOutput::write(const Picture& picture) {
    State& state = *state_;
    if (!state.time_line_set) {
        state.set_time_line(picture.pts);
    }
    state.encoder.send(picture, state.clock.add(picture.pts, picture.duration));
    state.collect_packets();
    state.write_ready_video(false);
}

OutputStatistics VideoOutput::finish(bool up_to_video_end) {
    State& state = *state_;
    if (!state.time_line_set) {
        state.set_time_line(0);
    }
    state.encoder.drain();
    state.collect_packets();
    state.write_ready_video(true);
    if (up_to_video_end) {
        state.write_copied_shown_before(state.clock.end());
    } else {
        state.write_rest_of_copied();
    }
    state.muxer.finish();
    state.statistics.bytes = state.muxer.bytes();
    return state.statistics;
}

const OutputStatistics& VideoOutput::statistics() const {
    return state_->statistics;
}

}   // namespace millstream
