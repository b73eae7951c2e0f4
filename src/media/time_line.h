// Time stamps of the source -> those of the output's tracks.
//
// Note [Output time line]
// One shift for all streams, so that A/V offsets stay. It is the source's start (MPEG-TS often begins at 1.4 s), in
// whole ticks of the video stream, so that video time stamps are not rounded; other streams round it to their own
// ticks.
//   MP4, MOV  hold what is then negative (dts before reordering, audio priming) in edit lists. The video track counts
//             in the source's ticks, and edit lists in a scale fine enough for every stream's start.
//   Matroska  holds no negative time stamp: all streams are lifted by the lowest one. It counts in milliseconds. Opus
//             packets are stored later by their codec delay, which every reader takes off again.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/av.h"
#include "media/muxer.h"
#include "media/output_state.h"

namespace millstream {

/// A track as the source has it.
struct SourceTrack {
    AVRational time_base{1, 1};                ///< of the packets that come
    int timescale = 1;                         ///< ticks a second that MP4 counts it in
    std::optional<std::int64_t> first_pts{};   ///< in time_base; nothing = unknown, or may be rounded to a millisecond
    std::int64_t codec_delay_ms = 0;           ///< that Matroska's readers take off its time stamps
};

class TimeLine {
public:
    /// `source`: gives the start of all streams. `first_pts`: of the first picture, as far as it is known by now.
    TimeLine(const AVFormatContext& source, AVRational video_time_base, std::int64_t first_pts);

    /// The next track, in the order of the muxer's.
    void add_track(const SourceTrack& source);

    /// What the muxer must know before the header.
    [[nodiscard]] MovTiming mov_timing(bool one_video) const;
    /// What chapters are shifted by, in microseconds; `matroska`: lifted as well.
    [[nodiscard]] std::int64_t chapter_shift(bool matroska) const;

    /// Once, behind the header and before the first packet: fixes the shift on the first picture.
    void begin(std::int64_t first_pts, const Muxer& muxer);
    [[nodiscard]] bool begun() const { return begun_; }

    /// Sets the packet's pts, dts, duration and time base to the muxer's. dts strictly rise (or rise, where the
    /// container allows it) and never exceed pts. `packet.stream_index`: the muxer's. Throws Error(input) for a pause
    /// that an MP4 cannot hold.
    void place(AVPacket& packet, const Muxer& muxer);

    /// The header of an MP4 has been written: tracks without a packet so far are late.
    void header_is_written();

    /// Where each track has come to, and going on from there: behind begin() with the same first picture.
    [[nodiscard]] std::vector<TrackState> state() const;
    void resume(const std::vector<TrackState>& state);

    /// Time stamps that had to be moved to keep dts rising.
    [[nodiscard]] std::int64_t repaired() const { return repaired_; }

private:
    struct Track {
        SourceTrack source;
        std::int64_t shift = 0;   // in source.time_base, subtracted
        std::int64_t lift = 0;    // in the muxer's time base, added
        TrackState state{};
    };

    [[nodiscard]] std::int64_t common_shift() const;
    [[nodiscard]] std::int64_t lowest_milliseconds() const;
    static std::int64_t rescaled_dts(Track& track, const AVPacket& packet, const AVStream& stream);

    std::int64_t source_start_;   // AV_TIME_BASE
    AVRational video_time_base_;
    std::int64_t first_video_pts_;
    std::vector<Track> tracks_;
    bool begun_ = false;
    std::int64_t repaired_ = 0;
};

}   // namespace millstream
