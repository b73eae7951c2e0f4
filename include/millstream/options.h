// What a user can ask of `enhance`. Plain values; nothing here touches a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millstream {

/// Picture size in pixels.
struct Size {
    int width = 0;
    int height = 0;
    friend bool operator==(const Size&, const Size&) = default;
};

/// Which library runs the network. `automatic`: OpenVINO on a CPU, Torch on a CUDA device.
enum class Backend { automatic, torch, openvino };

/// Arithmetic of the network. `automatic`: bf16 where the CPU is faster with it, fp16 on CUDA, else fp32.
/// `int8`: most convolutions in 8-bit integers, the rest as `automatic` has it; only with OpenVINO on the CPU.
enum class Precision { automatic, fp32, bf16, fp16, int8 };

/// `low_pass` gives the output the source's colours back where they change slowly; detail stays the network's.
enum class ColourFixing { off, low_pass };

/// `automatic`: frames of a video found to be interlaced become whole pictures, at their own times and in their number;
/// `on`: those of any video; `fields`: a picture of every field, at twice the rate.
enum class Deinterlace { automatic, off, on, fields };

/// The part of the source's picture that is enhanced, in pixels as the decoder gives them (turned, with bake_rotation).
struct Crop {
    enum class Kind { off, automatic, rectangle };   ///< automatic: without the black bars around the picture
    Kind kind = Kind::off;
    int width = 0;
    int height = 0;
    int x = 0;
    int y = 0;
};

/// `automatic`: kept where the encoder holds alpha, else dropped and said; `require`: refused where it cannot be kept.
enum class Alpha { automatic, drop, require };

/// `threaded` runs every stage on a thread of its own; `serial` is the one-loop reference, same output.
enum class Runner { threaded, serial };

/// How strongly successive output frames are held together where nothing changed but noise. `off` leaves the network's
/// output as it is.
enum class TemporalPreset { off, low, medium, high };

/// What of the frame before is used again instead of being computed. `exact`: only what is bit for bit what computing
/// it would give; `safe` and `fast`: also what differs little, brought along with the motion, with the difference
/// added: `safe` where nobody would see it, `fast` where somebody who compares might.
enum class Reuse { off, exact, safe, fast };

/// How carefully motion between frames is estimated. `fast` costs about half of `full` and is less exact where little
/// moves.
enum class FlowQuality { full, fast };

/// What the output shows instead of the picture, to see what the temporal lock does: motion as colours, the weight of
/// history, or the picture without (left) and with the lock (right).
enum class DebugView { none, flow, confidence, split };

/// How much of the free space at OUT a run may use. Exactly one of the three forms.
struct DiskLimit {
    enum class Kind { percent, bytes, none };
    Kind kind = Kind::percent;
    double percent = 80.0;   ///< of the space free at the start; 0 < percent <= 100
    std::uint64_t bytes = 0;
};

/// When memory that could be used again is given back. `every_frame`: intermediates are dropped and the device's cache
/// is emptied after each frame; `on_pressure`: when memory or VRAM passes a threshold. `automatic`: every_frame where
/// max_vram is set, else on_pressure.
enum class ReleasePolicy { automatic, every_frame, on_pressure };

/// How much is encoded between two checkpoints, which is what a crash costs at most. Automatic: about 8 s of video, or
/// a minute of work where that is less (as far as the network's speed is measured), but 24 frames at least.
struct ChunkLength {
    enum class Kind { automatic, seconds, frames };
    Kind kind = Kind::automatic;
    double seconds = 0;        ///< of video
    std::int64_t frames = 0;   ///< at least 24
};

/// What happens where an earlier run of the same job was interrupted. `automatic`: it is gone on with; `never`: what it
/// left is thrown away; `require`: an error where there is nothing to go on with.
enum class Resume { automatic, never, require };

/// How large input, output and checkpoint may become together. Exactly one of the three forms.
struct TotalLimit {
    enum class Kind { ratio, bytes, none };
    Kind kind = Kind::ratio;
    double ratio = 3.0;   ///< times the input; more than 1
    std::uint64_t bytes = 0;
};

/// Which streams of a kind are carried over. `indices`: stream indices in the input, as `millstream inspect` lists
/// them; used with `chosen` only.
struct StreamSelection {
    enum class Kind { all, none, chosen };
    Kind kind = Kind::all;
    std::vector<int> indices;
    friend bool operator==(const StreamSelection&, const StreamSelection&) = default;
};

/// Options of one job. Defaults are those of the command line.
struct Options {
    std::filesystem::path input;
    std::filesystem::path output;   ///< the container follows from the extension: .mp4 .mov .mkv .webm
    bool overwrite = false;         ///< replace an existing output (only when the new one is complete)

    // Network
    std::string model = "realesr-animevideov3";   ///< a name of `millstream models list`, `identity`, or a path
    int scale = 2;                                ///< 1..4; the net's own scale is resampled to it where they differ
    std::optional<Size> size;                     ///< exact output size; overrides scale
    std::optional<Size> fit;                      ///< as large as fits, shape kept, pixels square; overrides scale
    Backend backend = Backend::automatic;
    Precision precision = Precision::automatic;
    std::string device =
        "auto";                ///< auto, cpu, cuda, cuda:N or openvino:GPU[.N]; several, by commas, share the frames
    std::optional<int> tile;   ///< input pixels a side; 0 = the whole frame; absent = from the memory budget
    int batch = 0;             ///< tiles or frames in flight; 0 = from the memory budget
    int threads = 0;           ///< CPU threads of the network; 0 = what the cgroup allows
    ColourFixing colour_fix = ColourFixing::low_pass;

    // Frame to frame
    Reuse reuse = Reuse::safe;
    TemporalPreset temporal = TemporalPreset::medium;
    FlowQuality temporal_flow = FlowQuality::full;
    DebugView debug_view = DebugView::none;   ///< needs `temporal` other than off

    // Resources
    std::optional<std::uint64_t> max_memory;   ///< host bytes; absent = 60 % of min(cgroup limit, MemAvailable)
    std::optional<std::uint64_t> max_vram;     ///< device bytes; absent = 90 % of what is free
    DiskLimit disk_limit;
    TotalLimit max_total;
    ReleasePolicy release = ReleasePolicy::automatic;
    double elevated_pressure = 0.80;   ///< share of memory or VRAM in use from which caches are given back; 0..1
    double critical_pressure = 0.92;   ///< share from which less is done at a time; above elevated_pressure, <= 1
    bool strict_io = false;            ///< a file written to that nobody asked for is an Error(difference)

    // What is told about the run
    std::vector<std::filesystem::path> reports;   ///< .json or .html, written when the run has ended, however it ended
    std::filesystem::path metrics_file;           ///< Prometheus text, renewed during the run; empty = none

    // What a crash may cost
    ChunkLength chunk;
    Resume resume = Resume::automatic;

    // Encoding
    std::string codec = "h264";   ///< h264, hevc or av1
    std::string encoder;          ///< FFmpeg encoder name; empty = the default one of the codec
    std::optional<int> crf;       ///< constant quality; absent = 18 (x264/x265), 23 (SVT-AV1)
    std::string preset;           ///< empty = medium (x264/x265), 8 (SVT-AV1)
    std::vector<std::pair<std::string, std::string>> encoder_options;   ///< handed to the encoder last
    std::string pixel_format;     ///< FFmpeg's name; empty = the nearest to the source's that the encoder takes
    bool bake_rotation = false;   ///< turn the pictures instead of leaving it to the player
    bool faststart = false;       ///< MP4, MOV: the index in front, so that playing can start while it is loading
    bool strict = false;          ///< what would be repaired or left out, and counted, is an Error(difference) instead
    Deinterlace deinterlace = Deinterlace::automatic;
    Crop crop;
    Alpha alpha = Alpha::automatic;    ///< of a source that has an alpha plane
    std::string hwaccel;               ///< FFmpeg device type for decoding (cuda, vaapi, ...); empty = software
    std::optional<int> video_stream;   ///< stream index to enhance; absent = the first that is no cover art

    bool verify = false;   ///< compare the finished output with its source (millstream/verify.h)

    // Everything else in the file
    StreamSelection audio;
    StreamSelection subtitles;
    /// Text subtitles become what the container holds even where their styling is lost (ASS in MP4, any in WebM).
    bool convert_subtitles = false;

    Runner runner = Runner::threaded;
};

}   // namespace millstream
