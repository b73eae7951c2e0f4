// How long chunks are, and how much the output may take.
#pragma once

#include <string>
#include <vector>

#include "pipeline/planner.h"

namespace millstream {

/// Sets chunk_frames: the checkpoint's, else what was asked for, else about 8 s of video and at most a minute of work,
/// as far as the network's speed is known (`seconds_per_frame`, else 0); never fewer than Chunks::kShortest. Sets
/// chunk_wall_s, and notes where it is longer than a minute.
void plan_chunks(PreparedJob& job, double seconds_per_frame);

/// Of the source's video, in seconds; 0 = unknown.
double duration_of(const PreparedJob& job);

/// Sets steers_size, other_bytes and plan.disk.most_output, and says where the limit cannot be kept.
void plan_size(PreparedJob& job);

/// What it cost to keep the limit: a sentence where chunks were encoded clearly worse than was asked for, else empty.
std::string lowered_quality(int asked_crf, const std::vector<int>& chunk_crf);

/// For Note [Size governor]; `other_bytes`: of the output that are no video, as far as it is known by now.
SizeGovernor make_governor(const PreparedJob& job, std::uint64_t other_bytes);
/// What is left for the video.
std::uint64_t video_bytes_left(const PreparedJob& job, std::uint64_t other_bytes);

}   // namespace millstream
