// Is a result what it should be? Compares an enhanced file with its source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "millstream/observer.h"

namespace millstream {

/// What is compared, and how closely. The tolerances are explained in docs/verify.md.
struct VerifyOptions {
    std::filesystem::path input;       ///< the source
    std::filesystem::path output;      ///< the enhanced file
    std::optional<int> video_stream;   ///< of the source, as in Options; absent = the first that is no cover art
    bool audio = true;                 ///< false: the result was made without sound on purpose
    std::vector<int> left_out;         ///< streams of the source that were left out on purpose, too
    bool convert_subtitles = false;    ///< as in Options: text subtitles were converted wherever that is possible
    bool turned = false;               ///< made with Options::bake_rotation: its pictures are turned themselves
    bool fields_kept = false;          ///< where the source is interlaced the result must be, too; else either will do
    std::string pixel_format;          ///< FFmpeg's name of what the result was to hold; empty = unknown, a note
    double time_tolerance_s = 0.001;   ///< copied packets and chapters against the video; > 0
    double psnr_margin_db = 3;         ///< a scene may be this much farther from the source than a blurred source; >= 0
    double frame_drop_db = 10;         ///< a frame may fall this much below the median of its scene; > 0
    double level_tolerance = 2;        ///< shift of a plane's mean over a scene, in steps of 8 bit; > 0
    int threads = 0;                   ///< of each of the two decoders; 0 = what the cgroup allows
};

/// One place where the two files differ.
struct Difference {
    std::string place;    ///< stream, frame, time
    std::string source;   ///< value in the source; empty = nothing there
    std::string result;   ///< value in the result; empty = nothing there
};

/// One kind of comparison. Holds when `differences` is 0.
struct VerifyCheck {
    std::string name;                   ///< frames, frame times, frame order, ... in the order of docs/verify.md
    std::int64_t compared = 0;          ///< frames, packets, chapters, fields
    std::int64_t differences = 0;       ///< all of them
    std::vector<Difference> examples;   ///< the first ten
};

/// Pictures between two cuts of the source. PSNR and SSIM: luma, the larger picture brought to the size of the smaller
/// by area averaging. SSIM: means over windows of 8x8 every 4 pixels.
struct SceneQuality {
    std::int64_t first_frame = 0;
    std::int64_t frames = 0;
    double start_s = 0;           ///< from the first frame
    double psnr_db = 0;           ///< of the mean squared error over the scene; 100 at most
    double ssim = 0;              ///< mean; 1 = the same
    double blurred_psnr_db = 0;   ///< the source against itself blurred by a 5x5 box: what `psnr_db` is held against
    double worst_frame_db = 0;    ///< smallest PSNR of a frame
    std::int64_t worst_frame = 0;
    std::vector<double> level_shift;   ///< result less source, mean of each plane that both have, in 8-bit steps
};

struct VerifyReport {
    VerifyOptions options;
    std::int64_t source_frames = 0;
    std::int64_t result_frames = 0;
    std::vector<VerifyCheck> checks;
    std::vector<SceneQuality> scenes;
    std::vector<std::string> notes;   ///< what differs for a good reason, a sentence each
    double wall_s = 0;

    [[nodiscard]] std::int64_t differences() const;
    [[nodiscard]] bool holds() const { return differences() == 0; }
};

/// Decodes both files side by side and compares them; writes nothing. Memory does not grow with their length but for
/// the list of scenes. Blocks; decoders have threads of their own. The observer hears progress (frames_done,
/// frames_total, fraction, elapsed_s) on the calling thread.
/// Throws Error(input) when a file cannot be used, Error(usage) for options out of range, Error(interrupted) on a stop
/// request. A difference is no error: look at holds().
VerifyReport verify(const VerifyOptions& options, Observer* observer = nullptr, std::stop_token stop = {});

/// JSON: the field names of the structs, and `holds`; two-space indented.
std::string to_json(const VerifyReport& report);

/// The lines that `millstream verify` prints: a line a check, differences below it, the scenes, the verdict.
std::string to_text(const VerifyReport& report);

}   // namespace millstream
