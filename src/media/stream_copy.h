// Packets of the streams that are carried over, as they are but for the bitstream filter the container needs, or
// converted (text subtitles).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "media/av.h"
#include "media/carriage.h"
#include "media/demuxer.h"
#include "media/output_state.h"
#include "media/subtitle_converter.h"

namespace millstream {

/// Reads the source a second time, only the copied streams, and one packet ahead: memory does not grow with the file.
/// At the start it looks far enough ahead (a few MiB at most) to know where each audio and video stream begins, and the
/// AAC parameters that an MPEG-TS has only inside its packets.
class StreamCopy {
public:
    /// Of `streams` those that have packets of their own (copy, convert) become tracks, in that order.
    StreamCopy(const SourceInfo& source, const std::vector<CarriedStream>& streams, const std::string& container);

    [[nodiscard]] std::size_t size() const { return tracks_.size(); }
    [[nodiscard]] const AVStream& source_stream(std::size_t track) const { return *tracks_[track].stream; }
    /// Codec parameters and time base for the muxer.
    void copy_parameters(std::size_t track, AVStream& to) const;
    /// Its first pts as far as it was looked for, in the source stream's time base.
    [[nodiscard]] std::optional<std::int64_t> first_pts(std::size_t track) const { return tracks_[track].first_pts; }

    /// The next packet, in the source's order, with dts and pts in the source stream's time base; stream_index is the
    /// track. nullptr at the end. Valid until pop().
    AVPacket* peek();
    void pop();

    /// Where each track has come to, by what pop() has taken.
    [[nodiscard]] std::vector<CopiedState> state() const;
    /// Goes on behind `state`, near it in the source. False where that place is not found for certain: the object is
    /// then of no use, and a new one must read on from the start, with take_until().
    [[nodiscard]] bool seek_behind(const std::vector<CopiedState>& state);
    void take_until(const std::vector<CopiedState>& state);

    [[nodiscard]] const Demuxer& demuxer() const { return demuxer_; }
    /// Packets that had no time stamp, or one that cannot be, so far.
    [[nodiscard]] std::int64_t repaired() const { return repaired_; }
    /// Packets that pop() has taken marked as damaged by the demuxer, and those that could not be filtered or converted
    /// and are left out, so far.
    [[nodiscard]] std::int64_t damaged() const;

private:
    struct Track {
        const AVStream* stream = nullptr;
        av::BitstreamFilter filter;   // none for most
        std::unique_ptr<SubtitleConverter> converter;
        std::vector<std::uint8_t> extradata;
        std::optional<std::int64_t> first_pts;
        std::optional<std::int64_t> expected_dts;
        CopiedState taken;
        CopiedState behind;   // Note [Copies resumed]: by an earlier run
        bool found = true;    // its last packet has come by
    };

    void refuse_late_dolby(const StreamInfo& video) const;
    void look_ahead();
    bool read_one();
    void take(Track& track, av::Packet packet);
    static void take_extradata(Track& track, AVPacket& packet);
    void complete_time_stamps(Track& track, AVPacket& packet);
    [[nodiscard]] static std::int64_t guessed_dts(const Track& track, const AVPacket& packet);
    static bool was_taken(Track& track, const AVPacket& packet);
    bool find_behind(const std::vector<CopiedState>& state);
    void forget_what_was_read();
    [[nodiscard]] bool must_be_found(std::size_t track, const std::vector<CopiedState>& state) const;
    [[nodiscard]] bool is_hidden(const Track& track, const AVPacket& packet) const;
    [[nodiscard]] static bool is_awaited(const Track& track);

    Demuxer demuxer_;
    std::vector<Track> tracks_;
    std::vector<int> track_of_stream_;   // -1 = not copied
    std::deque<av::Packet> ahead_;
    bool looking_ahead_ = true;
    bool hides_by_edit_list_ = false;   // the output's container
    std::int64_t repaired_ = 0;
    std::int64_t damaged_ = 0;
    std::int64_t marked_ = 0;
};

}   // namespace millstream
