// What a job is going to do, decided before anything is written. A value: print it, compare it, serialise it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "millstream/options.h"

namespace millstream {

/// What happens to one stream of the input.
struct StreamPlan {
    int index = 0;          ///< in the input
    std::string kind;       ///< video, audio, subtitle, data, attachment
    std::string codec;      ///< short FFmpeg name
    std::string language;   ///< ISO 639-2 or empty
    std::string action;     ///< enhance, copy, convert, drop
    std::string reason;     ///< what it is converted to and why, or why it is dropped; empty otherwise
};

/// Host memory the run is expected to need at its peak, by cause, in bytes.
struct MemoryPlan {
    std::uint64_t budget = 0;        ///< the limit the plan was made for
    std::uint64_t base = 0;          ///< program, libraries, weights
    std::uint64_t decoder = 0;       ///< reference pictures and frame threads
    std::uint64_t network = 0;       ///< activations of every request in flight
    std::uint64_t frames = 0;        ///< frames in the queues and in the stages
    std::uint64_t temporal = 0;      ///< the lock's history, the motion of frames on their way, work space
    std::uint64_t reuse = 0;         ///< the frame before, and what is known of its blocks
    std::uint64_t encoder = 0;       ///< lookahead, references, frame threads
    std::uint64_t vram = 0;          ///< network and tensors in the memory of a device of its own; 0 = there is none
    std::uint64_t vram_budget = 0;   ///< the limit on each device that the plan was made for
    [[nodiscard]] std::uint64_t expected() const {
        return base + decoder + network + frames + temporal + reuse + encoder;
    }
};

/// Output disk space against what is there, in bytes.
struct DiskPlan {
    std::uint64_t predicted_output = 0;
    std::uint64_t checkpoint = 0;
    std::uint64_t free = 0;
    std::uint64_t allowed = 0;       ///< the part of `free` this run may use
    std::uint64_t most_output = 0;   ///< what Options::max_total leaves for the output; 0 = no limit
};

struct Plan {
    Options options;   ///< as asked

    // Input
    std::string input_container;
    Size input_size;
    std::string input_pixel_format;   ///< FFmpeg name
    std::string input_colour;         ///< range/matrix/primaries/transfer/chroma location, in words
    double frame_rate = 0;            ///< average, frames per second; 0 = unknown
    std::int64_t frames = 0;          ///< expected; 0 = unknown
    double duration_s = 0;            ///< 0 = unknown
    std::vector<StreamPlan> streams;
    int chapters = 0;   ///< carried over, too

    // Network
    std::string model;   ///< resolved name
    std::string model_file;
    int model_scale = 1;
    int receptive_radius = 0;   ///< input pixels
    std::string device;         ///< cpu, cuda:0, openvino:GPU; several with commas between
    std::string device_name;    ///< what the maker calls it, with its memory
    std::string backend;        ///< torch or openvino
    std::string precision;      ///< fp32, bf16, fp16, int8
    Size tile;                  ///< input pixels with halo; the frame's size = not tiled
    int tiles_per_frame = 1;
    int halo = 0;                                    ///< input pixels around each tile
    bool tiles_exact = true;                         ///< halo >= receptive radius
    int batch = 1;                                   ///< requests in flight
    Reuse reuse = Reuse::off;                        ///< as asked, or off where the network is too cheap for it to pay
    TemporalPreset temporal = TemporalPreset::off;   ///< as asked, or off where there is too little memory for it
    int threads = 1;

    // Output
    std::string container;
    Size output_size;
    std::string encoder;
    std::string output_pixel_format;   ///< FFmpeg name
    std::string output_colour;
    int crf = 0;
    std::string preset;
    int encoder_threads = 0;
    int lookahead = 0;                                                  ///< frames the encoder looks ahead
    std::vector<std::pair<std::string, std::string>> encoder_options;   ///< resolved, as handed to the encoder

    // Checkpoints
    std::int64_t chunk_frames = 0;     ///< frames between two of them
    double chunk_wall_s = 0;           ///< that those are predicted to take; 0 = the network's speed is not known
    std::int64_t resumed_frames = 0;   ///< already in OUT.part: the job goes on behind them

    // Resources
    int decoder_threads = 0;         ///< that the decoder may use
    int live_frames = 0;             ///< most frames between decoder and encoder at any time
    std::uint64_t queue_bytes = 0;   ///< bound of each queue
    MemoryPlan memory;
    DiskPlan disk;

    std::vector<std::string> notes;   ///< decisions and warnings the user should know of, a sentence each
};

}   // namespace millstream
