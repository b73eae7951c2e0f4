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

/// Arithmetic of the network. `automatic`: bf16 where the CPU has it in hardware, fp16 on CUDA, else fp32.
enum class Precision { automatic, fp32, bf16, fp16 };

/// `threaded` runs every stage on a thread of its own; `serial` is the one-loop reference, same output.
enum class Runner { threaded, serial };

/// How much of the free space at OUT a run may use. Exactly one of the three forms.
struct DiskLimit {
    enum class Kind { percent, bytes, none };
    Kind kind = Kind::percent;
    double percent = 80.0;   ///< of the space free at the start; 0 < percent <= 100
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
    Backend backend = Backend::automatic;
    Precision precision = Precision::automatic;
    std::optional<int> tile;   ///< input pixels a side; 0 = the whole frame; absent = from the memory budget
    int batch = 0;             ///< tiles or frames in flight; 0 = from the memory budget
    int threads = 0;           ///< CPU threads of the network; 0 = what the cgroup allows

    // Resources
    std::optional<std::uint64_t> max_memory;   ///< host bytes; absent = 60 % of min(cgroup limit, MemAvailable)
    std::optional<std::uint64_t> max_vram;     ///< device bytes; absent = 90 % of what is free
    DiskLimit disk_limit;

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
    std::string hwaccel;          ///< FFmpeg device type for decoding (cuda, vaapi, ...); empty = software
    std::optional<int> video_stream;   ///< stream index to enhance; absent = the first that is no cover art

    // Everything else in the file
    StreamSelection audio;
    StreamSelection subtitles;
    /// Text subtitles become what the container holds even where their styling is lost (ASS in MP4, any in WebM).
    bool convert_subtitles = false;

    Runner runner = Runner::threaded;
};

}   // namespace millstream
