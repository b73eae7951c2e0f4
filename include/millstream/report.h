// What a job did. A value; filled while the job runs and handed out when it has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millstream/plan.h"
#include "millstream/verify.h"

namespace millstream {

struct StageTime {
    std::string name;
    double busy_s = 0;          ///< time inside the stage
    double wait_input_s = 0;    ///< time waiting for an item
    double wait_output_s = 0;   ///< time waiting for room behind it
};

/// What was wrong with the input and was repaired, counted by kind. With Options::strict all are 0.
struct Repairs {
    std::int64_t damaged_packets = 0;       ///< could not be decoded
    std::int64_t concealed_frames = 0;      ///< decoded with missing or damaged parts
    std::int64_t missing_pts = 0;           ///< video frames without a time stamp
    std::int64_t repeated_pts = 0;          ///< video frames with the time stamp of the one before
    std::int64_t backward_pts = 0;          ///< video frames earlier than the one before
    std::int64_t clock_jumps = 0;           ///< times the file's clock started again
    std::int64_t resized_frames = 0;        ///< of another size or format than the first
    std::int64_t copied_time_stamps = 0;    ///< of copied packets: absent or going backwards
    std::int64_t copied_packets_lost = 0;   ///< of copied streams: too damaged to be carried over
};

struct Report {
    Plan plan;
    std::int64_t frames = 0;   ///< in the output, those of earlier runs included
    std::int64_t resumed_frames = 0;   ///< of them written by earlier runs
    std::int64_t checkpoints = 0;      ///< written by this run
    std::vector<int> chunk_crf;        ///< of this run's chunks, where Options::max_total steers them; else empty
    double wall_s = 0;
    double fps_mean = 0;
    std::uint64_t peak_rss_bytes = 0;
    std::optional<std::uint64_t> peak_vram_bytes;   ///< absent without a device
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    std::vector<StageTime> stages;
    std::vector<std::string> warnings;   ///< one sentence each, with counts

    // Counters the tests and the user can hold against the plan
    std::int64_t model_loads = 0;
    std::int64_t peak_live_frames = 0;
    Repairs repairs;
    std::int64_t decode_errors = 0;   ///< packets or frames the decoder could not use in full
    double copies_per_frame = 0;      ///< times a frame's pixels were copied within one representation

    std::optional<VerifyReport> verification;   ///< with options.verify; its differences are no failure of the job
};

}   // namespace millstream
