// What is in a source file. Room `media`: the only one with FFmpeg headers; its own headers have none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "millstream/options.h"
#include "picture/picture.h"

namespace millstream {

enum class StreamKind { video, audio, subtitle, data, attachment };
std::string to_string(StreamKind kind);

/// How a picture is to be shown: where (x, y) goes, x' = a x + c y, y' = b x + d y, with y downwards, each -1, 0 or 1.
struct Orientation {
    int a = 1;
    int b = 0;
    int c = 0;
    int d = 1;
    [[nodiscard]] bool is_upright() const { return *this == Orientation{}; }
    [[nodiscard]] bool swaps_sides() const { return a == 0; }
    friend bool operator==(const Orientation&, const Orientation&) = default;
};

/// SMPTE ST 2086: the display a video was mastered on. Chromaticities as CIE 1931 x, y; luminances in cd/m2.
struct MasteringDisplay {
    std::array<double, 2> red{};
    std::array<double, 2> green{};
    std::array<double, 2> blue{};
    std::array<double, 2> white{};
    double max_luminance = 0;
    double min_luminance = 0;
};

/// CTA-861.3: light levels of the content, in cd/m2.
struct ContentLight {
    int max_content = 0;   ///< of the brightest pixel
    int max_average = 0;   ///< of the brightest frame's average
};

struct HdrMetadata {
    std::optional<MasteringDisplay> display;
    std::optional<ContentLight> light;
};

/// Which field of an interlaced picture is shown first.
enum class FieldOrder { progressive, top_first, bottom_first };

/// What only a video stream has.
struct VideoStreamInfo {
    int width = 0;
    int height = 0;
    std::string pixel_format_name;   ///< FFmpeg's name of what the decoder gives
    PixelFormat format;              ///< what VideoDecoder hands out (planar; packed formats are unpacked)
    Colour colour;                   ///< of the first frame where the container is silent or disagrees
    Rational sample_aspect{0, 1};    ///< 0/1 = unknown
    Rational average_rate{0, 1};     ///< frames per second; 0/1 = unknown
    Rational nominal_rate{0, 1};     ///< lowest rate that represents all time stamps
    std::int64_t frames = 0;         ///< container's or index's count, else duration x rate; 0 = unknown
    bool cover_art = false;          ///< a still picture attached to an audio file

    // How it is shown. Width, height and all above are those of the pictures that VideoDecoder hands out.
    std::optional<Orientation> orientation = Orientation{};   ///< in the container; nothing = no multiple of 90 degrees
    bool turned = false;   ///< VideoDecoder turns the pictures by it: the output needs none
    FieldOrder field_order = FieldOrder::progressive;
    HdrMetadata hdr;
    bool dolby_vision = false;        ///< has dynamic metadata of that kind
    bool only_dolby_vision = false;   ///< there is no ordinary picture under it: its colours mean nothing without
    bool hdr10_plus = false;          ///< has dynamic metadata of that kind
    bool film_grain = false;          ///< is coded without its grain, which the decoder adds
};

struct StreamInfo {
    int index = 0;
    StreamKind kind = StreamKind::data;
    std::string codec;   ///< FFmpeg's short name, e.g. h264, aac; "unknown"
    std::string language;
    std::string title;
    Rational time_base{1, 1};
    std::int64_t start_pts = 0;       ///< in time_base; 0 where unknown
    double duration_s = 0;            ///< 0 = unknown
    std::int64_t bit_rate = 0;        ///< bit/s; 0 = unknown
    int channels = 0;                 ///< audio
    int sample_rate = 0;              ///< audio, Hz
    std::uint32_t codec_tag = 0;      ///< the container's four letters for the codec, first one lowest; 0 = none
    std::vector<std::string> roles;   ///< dispositions beside "default" and "forced": comment, hearing_impaired, ...
    std::string file_name;            ///< attachment, or cover art that was one
    std::uint64_t bytes = 0;          ///< of cover art
    std::string timecode;             ///< of the first frame, e.g. "01:00:00:00"; empty = none
    bool chapter_titles = false;      ///< the track a MOV keeps its chapters' titles in, which are chapters here, too
    std::optional<VideoStreamInfo> video;
};

/// Checked before a decoder allocates anything. A source beyond them is refused (Error input).
inline constexpr std::int64_t kMaxPixels = std::int64_t{16384} * 16384;
inline constexpr int kMaxSide = 65535;   ///< a picture one pixel wide is padded to many times its bytes
inline constexpr int kMaxStreams = 256;

struct InputLimits {
    std::int64_t pixels = kMaxPixels;   ///< of one picture
    int streams = kMaxStreams;
};

class LateParameters;

struct SourceInfo {
    std::filesystem::path path;
    std::span<const std::byte> memory;   ///< the bytes, where they are no file's; `path` is then only a name
    InputLimits limits;                  ///< hold for everything that reads this source
    std::string container;               ///< FFmpeg's demuxer name
    std::uint64_t bytes = 0;
    double start_s = 0;      ///< smallest start of all streams
    double duration_s = 0;   ///< 0 = unknown
    std::vector<StreamInfo> streams;
    int chapters = 0;
    std::vector<std::string> tags;                ///< keys of the file's own metadata
    int video_stream = 0;                         ///< index of the stream to enhance
    std::shared_ptr<const LateParameters> late;   ///< found once, where they must be looked for
    [[nodiscard]] const StreamInfo& video() const { return streams.at(static_cast<std::size_t>(video_stream)); }
};

/// Opens `path` (a local file: scripts and playlists that name other files are refused), reads its headers and decodes
/// one frame of the chosen video stream, so that size, format and colour are those of the pictures.
/// `video_stream`: a stream index; absent = the first video stream that is no cover art.
/// `turn`: have its pictures turned and mirrored as they are to be shown, where that is by quarters.
/// Throws Error(input): missing, a directory, empty, not a video, no such stream, audio only, cover art only, absurd
/// dimensions, nothing decodable.
SourceInfo probe(const std::filesystem::path& path, std::optional<int> video_stream = {}, bool turn = false,
                 const InputLimits& limits = {});

/// The same for a video in memory. `bytes` stay the caller's and must outlive the result and all that is made of it.
/// `name` is used as a file's name would be: in messages, and its extension where the bytes do not tell the format.
SourceInfo probe_memory(std::span<const std::byte> bytes, const std::string& name, std::optional<int> video_stream = {},
                        const InputLimits& limits = {});

/// Silences FFmpeg's own printing; what matters of it comes back as counts and errors. Call once at start-up.
void quiet_ffmpeg();

/// "FFmpeg 5.1.9 (libavcodec 59.37.100, ...)".
std::string ffmpeg_version();

}   // namespace millstream
