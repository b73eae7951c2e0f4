#include "media/time_line.h"

extern "C" {
#include <libavutil/common.h>
}

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace millstream {
namespace {

constexpr AVRational kMilliseconds{1, 1000};

// Timescales must fit 32 bits, and durations in them should stay far from 63.
constexpr std::int64_t kMostTimescale = std::numeric_limits<std::int32_t>::max();

// libavformat's writer of MP4 and MOV stops at a longer one, or pulls what is behind it to where it begins.
constexpr std::int64_t kMostMovGap = std::numeric_limits<std::int32_t>::max() - std::int64_t{1};

void check_gap(std::int64_t begin, std::int64_t end, AVRational time_base, const std::string& file) {
    if (av_sat_sub64(end, begin) <= kMostMovGap) {   // hostile times in fine ticks may be any number
        return;
    }
    const auto seconds = [&](std::int64_t ticks) {
        return std::to_string(std::llround(static_cast<double>(ticks) * av_q2d(time_base))) + " s";
    };
    throw Error(
        ErrorKind::input,
        {"writing the output", file,
         "the time stamps of the input jump from " + seconds(begin) + " to " + seconds(end) +
             ", and an MP4 or MOV can say a jump of " + seconds(kMostMovGap) + " at most in the ticks of this stream",
         "Matroska (.mkv) holds it. If there is no such pause in the input, its time stamps are damaged"});
}

}   // namespace

TimeLine::TimeLine(const AVFormatContext& source, AVRational video_time_base, std::int64_t first_pts)
    : source_start_(source.start_time), video_time_base_(video_time_base), first_video_pts_(first_pts) {}

void TimeLine::add_track(const SourceTrack& source) {
    Track track;
    track.source = source;
    tracks_.push_back(track);
}

// The source's start in ticks of the video, but no picture before zero: an edit list would hide it.
std::int64_t TimeLine::common_shift() const {
    return source_start_ == AV_NOPTS_VALUE
               ? std::min<std::int64_t>(first_video_pts_, 0)
               : std::min(av_rescale_q(source_start_, AV_TIME_BASE_Q, video_time_base_), first_video_pts_);
}

// The video track's scale is the source's own, an audio track's its sample rate. Edit lists, which hold where a track
// begins, count in the movie's: the usual 1000 where every beginning is a whole number of milliseconds (the muxer
// rounds down), else a scale that holds all of them.
MovTiming TimeLine::mov_timing(bool one_video) const {
    // One option for all video tracks; left out, the muxer takes every track's own scale (or a multiple of it).
    MovTiming timing{one_video ? video_time_base_.den : 0, 1000};
    const std::int64_t shift = common_shift();
    std::int64_t exact = video_time_base_.den;
    bool all_whole = true;
    for (const Track& placed : tracks_) {
        const SourceTrack& track = placed.source;
        if (!track.first_pts) {
            continue;
        }
        const AVRational ticks{1, track.timescale};
        const std::int64_t start = *track.first_pts - av_rescale_q(shift, video_time_base_, track.time_base);
        const std::int64_t begin = av_rescale_q(start, track.time_base, ticks);
        const std::int64_t rounded = av_rescale_q(begin, ticks, kMilliseconds);
        // Before zero it is priming or reordering, which is held in the track's own scale.
        all_whole = all_whole && (begin <= 0 || av_compare_ts(rounded, kMilliseconds, begin, ticks) == 0);
        exact = exact > kMostTimescale ? exact : std::lcm(exact, std::int64_t{track.timescale});
    }
    if (!all_whole) {
        timing.movie_timescale = static_cast<int>(exact > kMostTimescale ? 90000 : exact);
    }
    return timing;
}

// Of the first packets, as Matroska would store them. The video begins at or above zero.
std::int64_t TimeLine::lowest_milliseconds() const {
    const std::int64_t shift = common_shift();
    std::int64_t lowest = 0;
    for (const Track& placed : tracks_) {
        const SourceTrack& track = placed.source;
        if (track.first_pts) {
            const std::int64_t start = *track.first_pts - av_rescale_q(shift, video_time_base_, track.time_base);
            lowest = std::min(lowest, av_rescale_q(start, track.time_base, kMilliseconds) + track.codec_delay_ms);
        }
    }
    return lowest;
}

std::int64_t TimeLine::chapter_shift(bool matroska) const {
    const std::int64_t lift = matroska ? av_rescale_q(-lowest_milliseconds(), kMilliseconds, AV_TIME_BASE_Q) : 0;
    return av_rescale_q(common_shift(), video_time_base_, AV_TIME_BASE_Q) - lift;
}

void TimeLine::begin(std::int64_t first_pts, const Muxer& muxer) {
    first_video_pts_ = first_pts;
    const std::int64_t shift = common_shift();
    const std::int64_t lowest = lowest_milliseconds();
    for (Track& track : tracks_) {
        track.shift = av_rescale_q(shift, video_time_base_, track.source.time_base);
        track.lift = muxer.is_matroska() ? track.source.codec_delay_ms - lowest : 0;
    }
    begun_ = true;
}

// Audio that comes in coarser ticks than samples (Matroska's milliseconds) is counted in samples again, as ffmpeg
// does, so that its packets do not jitter.
std::int64_t TimeLine::rescaled_dts(Track& track, const AVPacket& packet, const AVStream& stream) {
    const AVCodecParameters& parameters = *stream.codecpar;
    const std::int64_t dts = packet.dts - track.shift;
    if (parameters.codec_type != AVMEDIA_TYPE_AUDIO || parameters.sample_rate <= 0) {
        return av_rescale_q(dts, track.source.time_base, stream.time_base);
    }
    int samples = av_get_audio_frame_duration2(const_cast<AVCodecParameters*>(&parameters), packet.size);
    samples = samples > 0 ? samples : parameters.frame_size;
    std::int64_t rescaling = track.state.rescaling.value_or(AV_NOPTS_VALUE);
    const std::int64_t rescaled = av_rescale_delta(track.source.time_base, dts, AVRational{1, parameters.sample_rate},
                                                   samples, &rescaling, stream.time_base);
    track.state.rescaling = rescaling == AV_NOPTS_VALUE ? std::nullopt : std::optional(rescaling);
    return rescaled;
}

void TimeLine::place(AVPacket& packet, const Muxer& muxer) {
    Track& track = tracks_.at(static_cast<std::size_t>(packet.stream_index));
    const AVStream& stream = muxer.stream(packet.stream_index);
    const std::int64_t dts = rescaled_dts(track, packet, stream);
    const std::int64_t pts = packet.pts == packet.dts
                                 ? dts
                                 : av_rescale_q(packet.pts - track.shift, track.source.time_base, stream.time_base);
    packet.duration = av_rescale_q(packet.duration, track.source.time_base, stream.time_base);
    packet.dts = dts + track.lift;
    packet.pts = pts + track.lift;
    TrackState& state = track.state;
    if (muxer.is_mov()) {
        check_gap(state.last_dts.value_or(packet.dts), packet.dts, stream.time_base, muxer.name());
        check_gap(packet.pts, av_sat_add64(packet.pts, packet.duration), stream.time_base, muxer.name());
    }
    if (state.last_dts) {
        const bool may_repeat = (muxer.format().flags & AVFMT_TS_NONSTRICT) != 0;
        const std::int64_t least = *state.last_dts + (may_repeat ? 0 : 1);
        repaired_ += packet.dts < least ? 1 : 0;
        packet.dts = std::max(packet.dts, least);
    }
    packet.pts = std::max(packet.pts, packet.dts);
    if (!state.last_dts) {
        state.first_dts = packet.dts;
        state.first_pts = packet.pts;
    }
    state.last_dts = packet.dts;
    if (!state.end || packet.pts >= state.shown_last) {
        state.shown_last = packet.pts;
        state.end = packet.pts + std::max<std::int64_t>(packet.duration, 0);
    }
    packet.time_base = stream.time_base;
}

void TimeLine::header_is_written() {
    for (Track& track : tracks_) {
        track.state.late = !track.state.last_dts;
    }
}

std::vector<TrackState> TimeLine::state() const {
    std::vector<TrackState> states;
    for (const Track& track : tracks_) {
        states.push_back(track.state);
    }
    return states;
}

void TimeLine::resume(const std::vector<TrackState>& state) {
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
        tracks_[i].state = state.at(i);
    }
}

}   // namespace millstream
