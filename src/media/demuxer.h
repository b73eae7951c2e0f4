// A source file -> packets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "media/av.h"
#include "media/clock_jumps.h"

namespace millstream {

/// Opens one local file. Nothing but that file is read: scripts, playlists and image sequences, which name other files,
/// are refused, and whatever asks for another file gets an error.
class Demuxer {
public:
    /// Throws Error(input): missing, no regular file, unreadable, empty, of no known format, damaged headers.
    explicit Demuxer(const std::filesystem::path& path);

    /// Only packets of these streams come out of read(). Before this call: all streams.
    void select(const std::vector<int>& streams);

    /// The next packet, or false at the end of what can be read. A read error is tried past a few times (`truncated`).
    bool read(AVPacket& packet);

    [[nodiscard]] AVFormatContext& context() const { return *context_; }
    [[nodiscard]] AVStream& stream(int index) const { return *context_->streams[index]; }
    [[nodiscard]] int streams() const { return static_cast<int>(context_->nb_streams); }
    [[nodiscard]] const std::string& name() const { return name_; }   ///< for messages
    [[nodiscard]] std::int64_t corrupt_packets() const { return corrupt_packets_; }
    [[nodiscard]] bool truncated() const { return truncated_; }
    [[nodiscard]] std::int64_t clock_jumps() const { return clock_ ? clock_->jumps() : 0; }

private:
    [[nodiscard]] const AVInputFormat& recognise();
    void read_headers(const AVInputFormat& format);
    bool wanted(const AVPacket& packet) const;

    std::string name_;
    av::Io io_;   // outlives context_, which reads through it
    av::InputContext context_;
    int probe_score_ = 0;
    std::optional<std::vector<bool>> selected_;
    std::optional<ClockJumps> clock_;   // for formats whose clock may restart
    std::int64_t corrupt_packets_ = 0;
    bool truncated_ = false;
};

}   // namespace millstream
