// What a job did. A value; filled while the job runs and handed out when it has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millstream/error.h"
#include "millstream/plan.h"
#include "millstream/resources.h"
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
    std::int64_t damaged_packets = 0;          ///< could not be decoded
    std::int64_t concealed_frames = 0;         ///< decoded with missing or damaged parts
    std::int64_t missing_pts = 0;              ///< video frames without a time stamp
    std::int64_t repeated_pts = 0;             ///< video frames with the time stamp of the one before
    std::int64_t backward_pts = 0;             ///< video frames earlier than the one before
    std::int64_t clock_jumps = 0;              ///< times the file's clock started again
    std::int64_t resized_frames = 0;           ///< of another size, format or colour matrix than the first
    std::int64_t copied_time_stamps = 0;       ///< of copied packets: absent or going backwards
    std::int64_t copied_packets_damaged = 0;   ///< of copied streams: carried over as they are where that is possible
};

/// The stage that the others wait for.
struct Bottleneck {
    std::string stage;
    double busy = 0;     ///< share of the run's time it was working, 0..1
    std::string words;   ///< what holds the run up, and what the stages around it did meanwhile; a sentence or two
};

/// What crossed the bus to devices with memory of their own, and how often the host waited for one.
struct DeviceTraffic {
    std::int64_t uploads = 0;
    std::uint64_t uploaded_bytes = 0;
    std::int64_t downloads = 0;
    std::uint64_t downloaded_bytes = 0;
    std::int64_t synchronisations = 0;
};

/// What reuse did (Options::reuse).
struct ReuseReport {
    double share_computed = 0;       ///< input pixels run through the network, surroundings included, over all
    std::int64_t whole_frames = 0;   ///< computed as without reuse: cuts, chunks, and where little would be saved
    std::int64_t checks = 0;         ///< times an area that had been reused was computed, too, and compared
    double check_error_mean = 0;     ///< root mean square over the areas compared, in codes of 0..255
    double check_error_worst = 0;    ///< of the worst area
    std::int64_t tightened = 0;      ///< times a check led to stricter thresholds
    double time_saved_s = 0;         ///< what the network would have taken for the rest, at its speed in this run
};

/// How a run ended that did not end well.
struct Failure {
    int exit_code = 0;
    Error::Context context;
};

struct Report {
    int schema = 1;        ///< of docs/report.schema.json
    std::string outcome;   ///< done, interrupted or failed
    std::optional<Failure> failure;
    std::string started;                                         ///< UTC, ISO 8601
    std::vector<std::pair<std::string, std::string>> versions;   ///< name, version: millstream, FFmpeg, torch, ...
    Plan plan;

    std::string model;         ///< as the plan has it
    std::string device;        ///< as the plan has it
    std::string device_name;   ///< as the plan has it
    std::string backend;       ///< as the plan has it
    std::string precision;     ///< at the end of the run: a back-off may have lowered it

    std::int64_t frames = 0;           ///< in the output, those of earlier runs included
    std::int64_t resumed_frames = 0;   ///< of them written by earlier runs
    std::int64_t checkpoints = 0;      ///< written by this run
    std::vector<int> chunk_crf;        ///< of this run's chunks, where Options::max_total steers them; else empty
    double wall_s = 0;
    double fps_mean = 0;
    double fps_p50 = 0;   ///< half of the frames came at least this fast (over windows of a few frames)
    double fps_p99 = 0;   ///< 99 % of them did
    std::uint64_t peak_rss_bytes = 0;
    std::uint64_t mean_rss_bytes = 0;
    std::optional<std::uint64_t> peak_vram_bytes;   ///< absent without a device
    std::optional<std::uint64_t> mean_vram_bytes;
    double cpu_s = 0;                 ///< processor time of the run, all threads
    std::optional<double> energy_j;   ///< of processor and device during the run; absent where nothing tells it
    std::vector<CurvePoint> curve;
    std::vector<BackOff> backoffs;
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    double output_bits_per_pixel = 0;   ///< of the whole output, over the pixels of all frames
    std::vector<StageTime> stages;
    std::optional<Bottleneck> bottleneck;          ///< absent where nothing was timed
    std::optional<ReuseReport> reuse;              ///< absent where reuse was off
    std::optional<DeviceTraffic> device_traffic;   ///< absent where the network runs on the CPU
    std::vector<FileIo> files;
    DiskTraffic disk;
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
