// Ends chunks: output to the disk, then the checkpoint, then what the next chunk is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "media/output.h"
#include "pipeline/checkpoint.h"
#include "pipeline/item.h"
#include "pipeline/planner.h"
#include "pipeline/size_governor.h"

namespace millstream {

/// On the encoder's thread. Note [Commit]
/// A chunk's bytes are synced before the checkpoint that counts them takes the old one's place (written beside it,
/// synced, renamed, folder synced). So at any instant the checkpoint on the disk describes bytes that are on the disk;
/// a later run cuts the file there and goes on.
class ChunkCommitter {
public:
    /// `source`: identity of the job's source. All must outlive it.
    ChunkCommitter(const PreparedJob& job, const SourceIdentity& source, VideoOutput& output, FileCalls& files);

    /// Before the first chunk, and by the constructor of a run that goes on: the rate the encoder is to be opened with.
    static ChunkRate first_rate(const PreparedJob& job);

    /// Every frame that has gone to the encoder.
    void taken(const Frame& frame);
    /// The chunk is over; the next one begins with a frame at `next_pts` that was computed in `precision`, in which a
    /// later run is to go on (`automatic`: as before). Throws Error(resource) where the disk is
    /// full or is about to be, with everything so far committed.
    void end_chunk(std::int64_t next_pts, Precision precision = Precision::automatic);
    /// The last chunk is over, with all copied streams.
    void end();

    /// Frames that a later run would find done.
    [[nodiscard]] std::int64_t committed_frames() const { return committed_frames_.load(); }
    [[nodiscard]] std::int64_t checkpoints() const { return checkpoints_; }
    [[nodiscard]] const std::vector<int>& crfs() const { return crfs_; }

private:
    void commit(OutputState state, double seconds);
    void steer(const OutputState& state, double seconds);
    void watch_disk(const OutputState& state) const;
    [[nodiscard]] double seconds_between(std::int64_t begin_pts, std::int64_t end_pts) const;

    const PreparedJob& job_;
    VideoOutput& output_;
    FileCalls& files_;
    std::filesystem::path path_;
    Checkpoint checkpoint_;
    std::optional<SizeGovernor> governor_;
    double seconds_per_tick_;
    double duration_s_;
    std::uint64_t bytes_before_;   // of the file when this run began
    double done_s_ = 0;            // of video, all runs together
    std::optional<std::int64_t> chunk_begin_pts_;
    std::int64_t last_end_pts_ = 0;
    std::atomic<std::int64_t> committed_frames_{0};
    std::int64_t checkpoints_ = 0;
    std::vector<int> crfs_;
};

}   // namespace millstream
