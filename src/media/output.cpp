#include "media/output.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <utility>

#include "media/av.h"
#include "media/finish_matroska.h"
#include "media/finish_mov.h"
#include "media/frame_clock.h"
#include "media/index_in_front.h"
#include "media/muxer.h"
#include "media/output_tracks.h"
#include "media/parameter_sets.h"
#include "media/part_file.h"
#include "media/stream_copy.h"
#include "media/text_box.h"
#include "media/time_line.h"
#include "media/video_encoder.h"

namespace millstream {
namespace {

// How much of a chunk is held in memory, and how far sound and pictures of one moment lie apart in an MP4.
constexpr std::size_t kMostPieceBytes = std::size_t{4} << 20;
// The first piece waits for sound that begins late: see StreamCopy::refuse_late_dolby().
constexpr std::size_t kMostFirstPieceBytes = std::size_t{32} << 20;
constexpr double kPieceSeconds = 2;

bool has_free_keys(const SourceInfo& source) {
    return !lost_tags(source, "mp4").empty();
}

// The level depends on the rate, which changes from chunk to chunk: the first one's holds for all.
EncoderSettings of_first_chunk(const OutputSpec& spec) {
    EncoderSettings settings = spec.encoder;
    settings.level = spec.resume ? spec.resume->level : settings.level;
    return settings;
}

}   // namespace

struct VideoOutput::State {
    State(const OutputSpec& spec, const SourceInfo& source);

    void begin_muxer();
    void resume(const OutputState& from, const SourceInfo& source);
    void open_encoder();
    void check_parameter_sets();
    void write_covers(Muxer& to);
    void collect_packets();
    void write_ready_video(bool chunk_ends);
    void write_video(AVPacket& packet, std::optional<std::int64_t> next_dts);
    [[nodiscard]] std::int64_t dts_index_of(const AVPacket& packet) const;
    void write_copied_up_to(std::int64_t video_dts);
    void write_rest_of_copied();
    void write_copied(AVPacket& packet);
    void mux(AVPacket& packet, std::int64_t decode_duration = 0);
    void end_header();
    void end_piece_when_due(std::int64_t video_dts);
    void end_piece();
    void encode_rest();
    OutputState commit(bool complete);
    void set_up_index(Muxer& to, const AVFormatContext& written);
    [[nodiscard]] std::vector<std::int64_t> ends_ms() const;
    [[nodiscard]] AVRational time_base_of(const AVPacket& copied) const;

    OutputSpec spec;
    StreamInfo video;
    AVRational video_time_base;
    bool free_keys;
    EncoderSettings settings;   // of the chunk in hand, or the next one
    std::unique_ptr<VideoEncoder> encoder;
    StreamCopy copy;
    PartFile file;   // behind the two: it creates the file, and nothing is left behind where they refuse
    OutputBuffer buffer;
    Muxer muxer;
    TimeLine time_line;
    OutputTracks tracks;
    MovTiming timing;
    MovRoom room;
    FrameClock clock;
    std::deque<av::Packet> waiting;   // encoded; for the next one, whose dts gives the duration
    av::Packet packet = av::make_packet();
    std::string parameter_sets;
    bool header_left = false;
    int pieces = 0;
    std::int64_t last_dts_index = std::numeric_limits<std::int64_t>::min();
    std::int64_t delay = 0;   // of this chunk's encoder: pictures between dts and pts
    bool chunk_has_packets = false;
    std::vector<std::byte> header;             // until the first piece is appended
    std::vector<std::byte> texts;              // of the piece
    std::size_t piece_bytes = 0;               // of the packets in the piece
    std::optional<std::int64_t> piece_begin;   // dts of its first video packet
    std::uint64_t committed = 0;
    std::int64_t repaired_before = 0;   // by earlier runs
    std::int64_t damaged_before = 0;
    OutputStatistics statistics;
};

VideoOutput::State::State(const OutputSpec& output, const SourceInfo& source)
    : spec(output),
      video(source.video()),
      video_time_base(av::to_av(video.time_base)),
      free_keys(output.container == "mov" && has_free_keys(source)),
      settings(of_first_chunk(output)),
      encoder(std::make_unique<VideoEncoder>(settings, Muxer::wants_global_header(output.container),
                                             output.surfaces.get())),
      copy(source, output.carried, output.container),
      file(*output.files, output.path, output.resume ? output.resume->bytes : 0),
      muxer(buffer, output.container, output.path.string()),
      time_line(copy.demuxer().context(), video_time_base, video.start_pts),
      tracks(add_tracks(muxer, time_line, *encoder, settings.hdr, copy, video, spec.carried)),
      clock(av_rescale_q(1, av_inv_q(av::to_av(settings.frame_rate)), video_time_base)),
      committed(file.end()) {
    check_parameter_sets();
    if (!spec.resume && !spec.checkpoint.empty()) {
        replace_file(*spec.files, spec.checkpoint, spec.begun);
    }
    file.cut(committed);
    begin_muxer();
    if (spec.resume) {
        resume(*spec.resume, source);
    }
    statistics.bytes = file.end();
}

// An MP4's chapters and covers, like its timecode, are written with its index: until then they would be in the way.
void VideoOutput::State::begin_muxer() {
    add_metadata(muxer, copy.demuxer().context());
    timing = time_line.mov_timing(tracks.one_video());
    timing.free_keys = free_keys;
    if (!muxer.is_mov()) {
        add_chapters(muxer, copy.demuxer().context(), time_line.chapter_shift(muxer.is_matroska()));
    }
    const bool goes_on = spec.resume.has_value() && spec.resume->pieces > 0;
    muxer.write_header(timing, goes_on ? MuxerLayout::further_pieces : MuxerLayout::pieces,
                       goes_on ? spec.resume->pieces + 1 : 1);
    if (!muxer.is_mov()) {
        muxer.end_header();
        header = buffer.take();
    } else if (goes_on) {
        std::array<std::byte, 8> first{};
        file.file().read(0, first);
        room = mov_room(first, spec.index_bytes);
    }
}

void VideoOutput::State::resume(const OutputState& from, const SourceInfo& source) {
    clock.resume(from.frames, from.first_pts, from.last_pts, from.last_duration);
    time_line.begin(from.first_pts, muxer);
    time_line.resume(from.tracks);
    last_dts_index = from.last_dts_index;
    pieces = from.pieces;
    repaired_before = from.repaired_packets;
    damaged_before = from.damaged_packets;
    statistics.frames = from.frames;
    statistics.copied_packets = from.copied_packets;
    statistics.video_bytes = from.video_bytes;
    if (muxer.is_mov()) {
        for (std::size_t i = 0; i < from.tracks.size(); ++i) {
            const TrackState& track = from.tracks[i];
            if (track.first_dts && track.first_pts) {
                // A late track was placed as if it had begun at zero.
                const std::int64_t shift = track.late ? *track.first_pts : 0;
                muxer.place_beginning(static_cast<int>(i), *track.first_dts - shift, *track.first_pts - shift);
            }
        }
    }
    if (from.complete) {
        return;
    }
    if (from.copies_repaired || !copy.seek_behind(from.copied)) {
        copy = StreamCopy(source, spec.carried, spec.container);
        copy.take_until(from.copied);
    }
}

void VideoOutput::State::open_encoder() {
    encoder = std::make_unique<VideoEncoder>(settings, Muxer::wants_global_header(spec.container), spec.surfaces.get());
    check_parameter_sets();
    chunk_has_packets = false;
}

// They stand once, in the header, and hold for all chunks.
void VideoOutput::State::check_parameter_sets() {
    const std::string now = parameter_sets_hash(encoder->context());
    if (parameter_sets.empty()) {
        parameter_sets = spec.resume ? spec.resume->parameter_sets : now;
        settings.level = spec.resume ? spec.resume->level : level_of(encoder->context());
    }
    if (now != parameter_sets) {
        throw Error(ErrorKind::refused, {"going on with an output", spec.path.string(),
                                         settings.encoder + " writes other parameter sets than at the file's start",
                                         "Another version of the encoder? Start again with --resume never"});
    }
}

void VideoOutput::State::write_covers(Muxer& to) {
    for (std::size_t i = 0; i < tracks.covers.size(); ++i) {
        const av::Packet cover = av::make_packet();
        const AVStream& source = copy.demuxer().stream(tracks.cover_sources[i]);
        av::check(av_packet_ref(cover.get(), &source.attached_pic), ErrorKind::resource, "copying the cover art", "");
        cover->stream_index = tracks.covers[i];
        cover->pts = 0;
        cover->dts = 0;
        to.write(*cover);
    }
}

void VideoOutput::State::collect_packets() {
    while (encoder->receive(*packet)) {
        waiting.push_back(std::exchange(packet, av::make_packet()));
    }
}

// A packet's duration is known with the next one: in MP4 it is the distance of their dts, elsewhere that of the
// pictures' pts. The last one of a chunk is followed by the next chunk's first, whose dts is known before it exists.
void VideoOutput::State::write_ready_video(bool chunk_ends) {
    while (!waiting.empty() && (chunk_ends || (waiting.size() > 1 && clock.knows_next(waiting.front()->pts)))) {
        const av::Packet first = std::move(waiting.front());
        waiting.pop_front();
        std::optional<std::int64_t> next_dts;
        if (!waiting.empty()) {
            next_dts = clock.at(std::max(dts_index_of(*waiting.front()), dts_index_of(*first) + 1));
        } else if (delay > 0) {
            next_dts = clock.at(std::min(clock.count() - delay, clock.count() - 1));
        }
        write_video(*first, next_dts);
    }
}

// Note [Frame indices]. An encoder without reordering may leave dts out.
std::int64_t VideoOutput::State::dts_index_of(const AVPacket& encoded) const {
    const std::int64_t index = encoded.pts;
    return std::max(encoded.dts == AV_NOPTS_VALUE ? index : std::min(encoded.dts, index), last_dts_index + 1);
}

void VideoOutput::State::write_video(AVPacket& encoded, std::optional<std::int64_t> next_dts) {
    const std::int64_t index = encoded.pts;
    const std::int64_t dts_index = dts_index_of(encoded);
    if (dts_index > index) {
        throw Error(ErrorKind::internal, {"writing a packet", "picture " + std::to_string(index),
                                          "the encoder gave it too late to be decoded in time", ""});
    }
    if (!chunk_has_packets) {
        delay = index - dts_index;
        chunk_has_packets = true;
    }
    last_dts_index = dts_index;
    encoded.pts = clock.at(index);
    encoded.dts = clock.at(dts_index);
    encoded.duration = clock.duration_of(index);
    std::int64_t decode_duration = 0;
    if (muxer.is_mov() && next_dts && *next_dts > encoded.dts) {
        decode_duration = av_rescale_q(*next_dts - encoded.dts, video_time_base, muxer.stream(tracks.video).time_base);
    }
    encoded.stream_index = tracks.video;
    clock.forget_below(dts_index + 1);
    write_copied_up_to(encoded.dts);
    statistics.video_bytes += static_cast<std::uint64_t>(encoded.size);
    const std::int64_t dts = encoded.dts;
    mux(encoded, decode_duration);
    ++statistics.frames;
    end_piece_when_due(dts);
}

void VideoOutput::State::write_copied_up_to(std::int64_t video_dts) {
    for (AVPacket* next = copy.peek(); next != nullptr; next = copy.peek()) {
        if (av_compare_ts(next->dts, time_base_of(*next), video_dts, video_time_base) > 0) {
            return;
        }
        write_copied(*next);
    }
}

void VideoOutput::State::write_rest_of_copied() {
    for (AVPacket* next = copy.peek(); next != nullptr; next = copy.peek()) {
        write_copied(*next);
    }
}

AVRational VideoOutput::State::time_base_of(const AVPacket& copied) const {
    return copy.source_stream(static_cast<std::size_t>(copied.stream_index)).time_base;
}

void VideoOutput::State::write_copied(AVPacket& next) {
    const av::Packet copied = av::make_packet();
    av::check(av_packet_ref(copied.get(), &next), ErrorKind::resource, "copying a stream", "");
    copy.pop();
    copied->stream_index = tracks.copied.at(static_cast<std::size_t>(copied->stream_index));
    mux(*copied);
    ++statistics.copied_packets;
}

void VideoOutput::State::mux(AVPacket& out, std::int64_t decode_duration) {
    piece_bytes += static_cast<std::size_t>(out.size);
    time_line.place(out, muxer);
    out.duration = decode_duration > 0 ? decode_duration : out.duration;
    if (muxer.is_mov() && muxer.stream(out.stream_index).codecpar->codec_id == AV_CODEC_ID_MOV_TEXT) {
        keep_text(texts, out);   // Note [Texts beside fragments]
    } else {
        muxer.write(out);
    }
    statistics.bytes = file.end() + piece_bytes;
}

// An MP4's comes behind the first packets, because it holds where each track begins.
void VideoOutput::State::end_header() {
    if (header_left) {
        return;
    }
    header_left = true;
    if (muxer.is_mov()) {
        muxer.end_header();
        header = buffer.take();
        if (pieces == 0) {
            room = mov_room(header, spec.index_bytes);
            write_mov_header(file, header, room);
            time_line.header_is_written();
        }
    } else if (pieces == 0) {
        file.append(header);
    }
    header.clear();
}

// Behind a video packet: FFmpeg's Matroska muxer keeps one packet of sound back.
void VideoOutput::State::end_piece_when_due(std::int64_t video_dts) {
    if (!piece_begin) {
        piece_begin = video_dts;
    }
    const double seconds = static_cast<double>(video_dts - *piece_begin) * av_q2d(video_time_base);
    if (piece_bytes > (header_left ? kMostPieceBytes : kMostFirstPieceBytes) || seconds >= kPieceSeconds) {
        end_piece();
    }
}

void VideoOutput::State::end_piece() {
    end_header();
    muxer.end_piece();
    file.append(buffer.take());
    append_texts(file, texts);
    ++pieces;
    piece_bytes = 0;
    piece_begin.reset();
}

void VideoOutput::State::encode_rest() {
    encoder->drain();
    collect_packets();
    write_ready_video(true);
}

OutputState VideoOutput::State::commit(bool complete) {
    file.commit();
    committed = file.end();
    statistics.bytes = file.end();
    OutputState state;
    state.frames = clock.count();
    state.bytes = file.end();
    state.pieces = pieces;
    state.complete = complete;
    state.first_pts = clock.first_pts();
    state.last_pts = clock.last(FrameClock::kKept);
    state.last_duration = clock.last_duration();
    state.last_dts_index = last_dts_index;
    state.video_bytes = statistics.video_bytes;
    state.level = settings.level;
    state.parameter_sets = parameter_sets;
    state.tracks = time_line.state();
    state.copied = copy.state();
    state.copies_repaired = repaired_before + copy.repaired() + time_line.repaired() + copy.demuxer().clock_jumps() > 0;
    state.copied_packets = statistics.copied_packets;
    state.repaired_packets = repaired_before + copy.repaired() + time_line.repaired();
    state.damaged_packets = damaged_before + copy.damaged();
    return state;
}

// The same set-up as the file's own, with the video's parameters in the form that a file holds them in.
void VideoOutput::State::set_up_index(Muxer& to, const AVFormatContext& written) {
    TimeLine unused(copy.demuxer().context(), video_time_base, video.start_pts);
    add_tracks(to, unused, *encoder, settings.hdr, copy, video, spec.carried);
    unsigned track = 0;   // covers have none
    for (int i = 0; i < to.streams() && track < written.nb_streams; ++i) {
        if ((to.stream(i).disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
            adopt_parameter_sets(to.stream(i), *written.streams[track++]);
        }
    }
    add_metadata(to, copy.demuxer().context());
    add_chapters(to, copy.demuxer().context(), unused.chapter_shift(false));
    to.write_header(timing, MuxerLayout::whole);
    write_covers(to);
}

std::vector<std::int64_t> VideoOutput::State::ends_ms() const {
    std::vector<std::int64_t> ends;
    for (const TrackState& track : time_line.state()) {
        ends.push_back(track.end.value_or(-1));
    }
    return ends;
}

VideoOutput::VideoOutput(const OutputSpec& spec, const SourceInfo& source)
    : state_(std::make_unique<State>(spec, source)) {}

VideoOutput::~VideoOutput() {
    if (state_) {
        try {   // by the file's own size: a write that has failed may have left a part of it
            if (state_->file.file().size() > state_->committed) {
                state_->file.cut(state_->committed);
            }
        } catch (const Error&) {   // the next run cuts it
        }
    }
}

VideoOutput::VideoOutput(VideoOutput&&) noexcept = default;
VideoOutput& VideoOutput::operator=(VideoOutput&&) noexcept = default;

void VideoOutput::write(const Picture& picture) {
    State& state = *state_;
    if (!state.time_line.begun()) {
        state.time_line.begin(picture.pts, state.muxer);
    }
    if (!state.encoder) {
        state.open_encoder();
    }
    state.encoder->send(picture, state.clock.add(picture.pts, picture.duration));
    state.collect_packets();
    state.write_ready_video(false);
}

OutputState VideoOutput::end_chunk(std::int64_t next_pts) {
    State& state = *state_;
    state.clock.expect(next_pts);
    state.encode_rest();
    state.end_piece();
    state.encoder.reset();
    return state.commit(false);
}

void VideoOutput::set_rate(int crf, std::int64_t max_rate, std::int64_t max_buffer) {
    EncoderSettings& settings = state_->settings;
    settings.crf = crf;
    settings.max_rate = max_rate;
    settings.max_buffer = max_buffer;
}

OutputState VideoOutput::end() {
    State& state = *state_;
    if (!state.time_line.begun()) {
        state.time_line.begin(0, state.muxer);
    }
    if (state.encoder) {
        state.encode_rest();
    }
    state.write_rest_of_copied();
    state.end_piece();
    if (state.muxer.is_matroska()) {   // the packet it has kept back
        state.muxer.finish();
        const std::vector<std::byte> rest = state.buffer.take();
        state.file.append(std::span(rest).first(cluster_bytes(rest)));
    }
    return state.commit(true);
}

OutputStatistics VideoOutput::finish() {
    State& state = *state_;
    if (!state.encoder) {
        state.open_encoder();
    }
    if (state.muxer.is_mov()) {
        free_mov_rooms(state.file, state.room);
        finish_mov(state.file, state.spec.container, state.room, state.time_line.state(),
                   [&](Muxer& muxer, const AVFormatContext& written) { state.set_up_index(muxer, written); });
        state.statistics.index_in_front =
            state.room.index_bytes > 0 &&
            move_index_to_front(state.file, state.room.index_offset, state.room.index_bytes);
    } else {
        finish_matroska(state.file, state.tracks.video + 1, state.ends_ms());
    }
    state.committed = state.file.end();
    state.statistics.bytes = state.file.end();
    state.statistics.repaired_packets = state.repaired_before + state.copy.repaired() + state.time_line.repaired();
    state.statistics.damaged_packets = state.damaged_before + state.copy.damaged();
    state.statistics.bytes_read = state.copy.demuxer().bytes_read();
    return state.statistics;
}

const OutputStatistics& VideoOutput::statistics() const {
    return state_->statistics;
}

}   // namespace millstream
