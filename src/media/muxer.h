// Packets -> one file. Nothing is buffered for interleaving: the caller writes in dts order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "media/av.h"

namespace millstream {

/// How an MP4 or MOV counts time, so that no time stamp is rounded, and what else it is told.
struct MovTiming {
    int video_timescale = 0;         ///< ticks a second of the video tracks; 0 = as each was given
    int movie_timescale = 0;         ///< of the edit lists, which hold the offsets between tracks
    std::uint64_t index_bytes = 0;   ///< room for Note [Index in front]; 0 = none
    bool free_keys = false;          ///< Note [Metadata keys] in output_tracks.cpp
};

/// The file is complete after finish(); a muxer that is destroyed before leaves what has been written.
class Muxer {
public:
    /// Creates or truncates `path`; the format is `container`, whatever the file's extension.
    /// Throws Error(refused) when the file cannot be created.
    Muxer(const std::filesystem::path& path, const std::string& container);

    /// Streams are added before the header. Their time base is the muxer's choice after it.
    AVStream& add_stream();
    AVChapter& add_chapter();
    [[nodiscard]] AVDictionary** metadata() { return &context_->metadata; }
    /// Throws Error(usage) when the container refuses a stream.
    void write_header(const MovTiming& timing);

    /// Time stamps in the stream's time base. Throws Error(resource) when the disk is full or writing fails.
    void write(AVPacket& packet);
    void finish();
    /// Whether the index could be moved to the room that was left for it; false where none was.
    [[nodiscard]] bool index_in_front() const { return index_in_front_; }

    [[nodiscard]] AVStream& stream(int index) const { return *context_->streams[index]; }
    [[nodiscard]] const AVOutputFormat& format() const { return *context_->oformat; }
    [[nodiscard]] bool is_mov() const;        ///< MP4 or MOV
    [[nodiscard]] bool is_matroska() const;   ///< Matroska or WebM
    /// Whether encoders for this container leave parameter sets to the header.
    static bool wants_global_header(const std::string& container);
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    void leave_room(std::uint64_t bytes);
    void check_written(int code, const char* doing, const std::string& said);

    std::string name_;
    av::Io io_;   // outlives context_, which writes through it
    av::OutputContext context_;
    std::uint64_t bytes_ = 0;
    std::uint64_t room_offset_ = 0;
    std::uint64_t room_bytes_ = 0;
    bool index_in_front_ = false;
};

}   // namespace millstream
