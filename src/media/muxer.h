// Packets -> the bytes of a file. Nothing is buffered for interleaving: the caller writes in dts order.
#pragma once

#include <cstdint>
#include <string>

#include "media/av.h"
#include "media/output_io.h"

namespace millstream {

/// How an MP4 or MOV counts time, so that no time stamp is rounded, and what else it is told.
struct MovTiming {
    int video_timescale = 0;   ///< ticks a second of the video tracks; 0 = as each was given
    int movie_timescale = 0;   ///< of the edit lists, which hold the offsets between tracks
    bool free_keys = false;    ///< Note [Metadata keys] in output_tracks.cpp
};

/// How the bytes come.
enum class MuxerLayout {
    pieces,           ///< to be appended to a file piece by piece (MP4: fragments, Matroska: clusters)
    further_pieces,   ///< the same, by a later run of the program: the header is not to be written again
    whole,            ///< MP4, MOV: one block of samples and an index
};

class Muxer {
public:
    /// `target` must outlive the muxer. `name`: of the file, for messages. Throws Error(usage) for an unknown
    /// container.
    Muxer(OutputTarget& target, const std::string& container, std::string name);

    /// Streams are added before the header. Their time base is the muxer's choice after it.
    AVStream& add_stream();
    AVChapter& add_chapter();
    [[nodiscard]] AVDictionary** metadata() { return &context_->metadata; }
    /// `next_piece`: number of the next MP4 fragment, from 1 on. Throws Error(usage) when the container refuses a
    /// stream.
    void write_header(const MovTiming& timing, MuxerLayout layout, int next_piece = 1);

    /// MP4, further_pieces, each track once: where the track began, so that what follows is placed relative to it.
    void place_beginning(int stream, std::int64_t dts, std::int64_t pts);

    /// Time stamps in the stream's time base.
    void write(AVPacket& packet);
    /// Whether the header has left the muxer: an MP4's waits for the first packets.
    void end_header();
    /// Everything written so far is in the target when it returns. The next piece's packets are placed by their own
    /// time stamps, tracks that begin only there as if they had begun at zero.
    void end_piece();
    /// The end of a file that is written as a whole, or of a Matroska's last cluster (with an index that is of no use).
    void finish();

    void seek(std::int64_t position);
    /// From now on the target is shown packets' bytes where they are, not a copy.
    void pass_on_uncopied() { io_.context()->direct = AVIO_FLAG_DIRECT; }
    [[nodiscard]] std::int64_t position() const { return avio_tell(io_.context()); }

    [[nodiscard]] AVStream& stream(int index) const { return *context_->streams[index]; }
    [[nodiscard]] int streams() const { return static_cast<int>(context_->nb_streams); }
    [[nodiscard]] const std::string& name() const { return name_; }   ///< for messages
    [[nodiscard]] const AVOutputFormat& format() const { return *context_->oformat; }
    [[nodiscard]] bool is_mov() const;        ///< MP4 or MOV
    [[nodiscard]] bool is_matroska() const;   ///< Matroska or WebM
    /// Whether encoders for this container leave parameter sets to the header.
    static bool wants_global_header(const std::string& container);

private:
    void check_written(int code, const char* doing, const std::string& said) const;

    std::string name_;
    OutputIo io_;   // outlives context_, which writes through it
    av::OutputContext context_;
    bool header_left_ = false;
};

}   // namespace millstream
