// A source -> packets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/av.h"
#include "media/clock_jumps.h"
#include "media/input_io.h"
#include "media/late_streams.h"
#include "media/probe.h"

namespace millstream {

enum class PacketForm {
    parsed,      ///< a frame each, with what its content says
    as_stored,   ///< as the container has them and says of them; nobody looks into them
};

/// Opens one local file, or bytes in memory. Nothing but that is read: scripts, playlists and image sequences, which
/// name other files, are refused, and whatever asks for another file gets an error.
class Demuxer {
public:
    /// Throws Error(input): missing, no regular file, unreadable, empty, of no known format, damaged headers.
    explicit Demuxer(const std::filesystem::path& path, const InputLimits& limits = {});
    /// `bytes` stay the caller's and must outlive the demuxer. `name` stands for the file's: formats that have no mark
    /// of their own are told by its extension.
    Demuxer(std::span<const std::byte> bytes, const std::string& name, const InputLimits& limits = {});
    /// What probe() has looked at, once more; what it had to search for is not searched for again.
    explicit Demuxer(const SourceInfo& source);
    /// Whatever `io` reads. `name` as above; `late`: what another demuxer of the same bytes has found.
    Demuxer(InputIo io, std::string name, const InputLimits& limits,
            std::shared_ptr<const LateParameters> late = nullptr, PacketForm form = PacketForm::parsed);

    /// Only packets of these streams come out of read(). Before this call: all streams.
    void select(const std::vector<int>& streams);

    /// The next packet, or false at the end of what can be read. Damage is tried past a few times (`truncated`). Where
    /// the file itself cannot be read any more (a bad disk, a network drive that has gone) it throws Error(resource):
    /// what is missing then is no end, and may be there again.
    bool read(AVPacket& packet);

    /// Goes on reading at the key frame before `seconds` of the file's time; stays where it is where the container
    /// cannot.
    void seek_near(double seconds);

    [[nodiscard]] AVFormatContext& context() const { return *context_; }
    [[nodiscard]] AVStream& stream(int index) const { return *context_->streams[index]; }
    [[nodiscard]] int streams() const { return static_cast<int>(context_->nb_streams); }
    [[nodiscard]] const std::string& name() const { return name_; }   ///< for messages
    [[nodiscard]] const InputLimits& limits() const { return limits_; }
    [[nodiscard]] std::uint64_t bytes() const;
    [[nodiscard]] std::uint64_t bytes_read() const;   ///< so far; more than the file has where it went back
    [[nodiscard]] const std::shared_ptr<const LateParameters>& late_parameters() const { return late_; }
    [[nodiscard]] std::int64_t corrupt_packets() const { return corrupt_packets_; }
    [[nodiscard]] bool truncated() const { return truncated_; }
    [[nodiscard]] std::int64_t clock_jumps() const { return clock_ ? clock_->jumps() : 0; }

private:
    [[nodiscard]] const AVInputFormat& recognise();
    void read_headers(const AVInputFormat& format, PacketForm form);
    bool wanted(const AVPacket& packet) const;
    void look_for_read_error() const;
    void unwrap(std::int64_t& time) const;   // a time of an FLV

    std::string name_;
    InputLimits limits_;
    InputIo io_;   // outlives context_, which reads through it
    av::InputContext context_;
    int probe_score_ = 0;
    std::optional<std::vector<bool>> selected_;
    std::optional<ClockJumps> clock_;              // for formats whose clock may restart
    std::optional<std::int64_t> flv_start_;        // where an FLV begins, in milliseconds
    std::shared_ptr<const LateParameters> late_;   // none: nothing was looked for
    std::int64_t corrupt_packets_ = 0;
    bool truncated_ = false;
};

}   // namespace millstream
