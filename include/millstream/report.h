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

struct Report {
    Plan plan;
    std::int64_t frames = 0;   ///< frames written
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
    std::int64_t decode_errors = 0;   ///< packets or frames the decoder could not use in full
    double copies_per_frame = 0;      ///< times a frame's pixels were copied within one representation

    std::optional<VerifyReport> verification;   ///< with options.verify; its differences are no failure of the job
};

}   // namespace millstream
