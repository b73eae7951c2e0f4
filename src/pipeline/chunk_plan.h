// How long chunks are, and how much the output may take.
#pragma once

#include "pipeline/planner.h"

namespace millstream {

/// Sets chunk_frames: the checkpoint's, else what was asked for, else about 8 s of video and at most a minute of work,
/// as far as the network's speed is known.
void plan_chunks(PreparedJob& job, double seconds_per_frame);

/// Of the source's video, in seconds; 0 = unknown.
double duration_of(const PreparedJob& job);

/// Sets steers_size, other_bytes and plan.disk.most_output, and says where the limit cannot be kept.
void plan_size(PreparedJob& job);

/// For Note [Size governor]; `other_bytes`: of the output that are no video, as far as it is known by now.
SizeGovernor make_governor(const PreparedJob& job, std::uint64_t other_bytes);
/// What is left for the video.
std::uint64_t video_bytes_left(const PreparedJob& job, std::uint64_t other_bytes);

}   // namespace millstream
