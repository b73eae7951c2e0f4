#include "media/output.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "media/av.h"
#include "media/frame_clock.h"
#include "media/muxer.h"
#include "media/output_tracks.h"
#include "media/stream_copy.h"
#include "media/time_line.h"
#include "media/video_encoder.h"

namespace millstream {
namespace {

bool has_free_keys(const SourceInfo& source) {
    return !lost_tags(source, "mp4").empty();
}

}   // namespace

struct VideoOutput::State {
    State(const OutputSpec& spec, const SourceInfo& source);

    void write_covers();
    void collect_packets();
    void write_ready_video(bool no_more_pictures);
    void write_video(AVPacket& packet);
    void write_copied_up_to(std::int64_t video_dts);
    void write_copied_shown_before(std::int64_t video_pts);
    void write_rest_of_copied();
    void write_copied(AVPacket& packet);
    void mux(AVPacket& packet);
    [[nodiscard]] AVRational time_base_of(const AVPacket& copied) const;

    AVRational video_time_base;
    VideoEncoder encoder;
    StreamCopy copy;
    Muxer muxer;   // behind the two: it creates the file, and nothing is left behind where they refuse
    TimeLine time_line;
    OutputTracks tracks;
    FrameClock clock;
    std::deque<av::Packet> waiting;   // encoded; for the next picture's time stamp, which gives the duration
    av::Packet packet = av::make_packet();
    std::int64_t last_dts_index = std::numeric_limits<std::int64_t>::min();
    OutputStatistics statistics;
};

VideoOutput::State::State(const OutputSpec& spec, const SourceInfo& source)
    : video_time_base(av::to_av(source.video().time_base)),
      encoder(spec.encoder, Muxer::wants_global_header(spec.container)),
      copy(source, spec.carried, spec.container),
      muxer(spec.path, spec.container),
      time_line(copy.demuxer().context(), video_time_base, source.video().start_pts),
      tracks(add_tracks(muxer, time_line, encoder, spec.encoder.hdr, copy, source.video(), spec.carried)),
      clock(av_rescale_q(1, av_inv_q(av::to_av(spec.encoder.frame_rate)), video_time_base)) {
    add_metadata(muxer, copy.demuxer().context());
    add_chapters(muxer, copy.demuxer().context(), time_line.chapter_shift(muxer.is_matroska()));
    MovTiming timing = time_line.mov_timing(tracks.one_video());
    timing.free_keys = spec.container == "mov" && has_free_keys(source);
    timing.index_bytes = spec.index_bytes;
    muxer.write_header(timing);
    write_covers();
    statistics.bytes = muxer.bytes();
}

void VideoOutput::State::write_covers() {
    for (std::size_t i = 0; i < tracks.covers.size(); ++i) {
        const av::Packet cover = av::make_packet();
        const AVStream& source = copy.demuxer().stream(tracks.cover_sources[i]);
        av::check(av_packet_ref(cover.get(), &source.attached_pic), ErrorKind::resource, "copying the cover art", "");
        cover->stream_index = tracks.covers[i];
        cover->pts = 0;
        cover->dts = 0;
        muxer.write(*cover);
    }
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
    encoded.stream_index = tracks.video;
    clock.forget_below(dts_index + 1);
    write_copied_up_to(encoded.dts);
    mux(encoded);
    ++statistics.frames;
}

void VideoOutput::State::write_copied_up_to(std::int64_t video_dts) {
    for (AVPacket* next = copy.peek(); next != nullptr; next = copy.peek()) {
        if (av_compare_ts(next->dts, time_base_of(*next), video_dts, video_time_base) > 0) {
            return;
        }
        write_copied(*next);
        copy.pop();
    }
}

// For a job that was stopped. Streams may be interleaved badly: all are looked at until each has come so far.
void VideoOutput::State::write_copied_shown_before(std::int64_t video_pts) {
    std::vector<bool> done(copy.size(), false);
    std::size_t left = copy.size();
    for (AVPacket* next = copy.peek(); next != nullptr && left > 0; next = copy.peek()) {
        const auto track = static_cast<std::size_t>(next->stream_index);
        if (av_compare_ts(next->pts, time_base_of(*next), video_pts, video_time_base) < 0) {
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

AVRational VideoOutput::State::time_base_of(const AVPacket& copied) const {
    return copy.source_stream(static_cast<std::size_t>(copied.stream_index)).time_base;
}

void VideoOutput::State::write_copied(AVPacket& copied) {
    copied.stream_index = tracks.copied.at(static_cast<std::size_t>(copied.stream_index));
    mux(copied);
    ++statistics.copied_packets;
}

void VideoOutput::State::mux(AVPacket& out) {
    time_line.place(out, muxer);
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
    if (!state.time_line.begun()) {
        state.time_line.begin(picture.pts, state.muxer);
    }
    state.encoder.send(picture, state.clock.add(picture.pts, picture.duration));
    state.collect_packets();
    state.write_ready_video(false);
}

OutputStatistics VideoOutput::finish(bool up_to_video_end) {
    State& state = *state_;
    if (!state.time_line.begun()) {
        state.time_line.begin(0, state.muxer);
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
    state.statistics.index_in_front = state.muxer.index_in_front();
    state.statistics.repaired_packets = state.copy.repaired() + state.time_line.repaired();
    state.statistics.damaged_packets = state.copy.damaged();
    state.statistics.bytes_read = state.copy.demuxer().bytes_read();
    return state.statistics;
}

const OutputStatistics& VideoOutput::statistics() const {
    return state_->statistics;
}

}   // namespace millstream
