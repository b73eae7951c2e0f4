// Test files made on the spot through libav: moving pictures and tones with exactly known time stamps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "media/av.h"
#include "picture/picture.h"

namespace millstream::testing {

using Settings = std::vector<std::pair<std::string, std::string>>;

struct SyntheticVideo {
    std::string encoder = "libx264";
    Settings settings = {{"preset", "ultrafast"}, {"crf", "20"}, {"bf", "0"}};
    AVPixelFormat format = AV_PIX_FMT_YUV420P;
    int width = 96;
    int height = 64;
    AVRational time_base{1, 15360};
    std::vector<std::int64_t> pts;   ///< of every frame, in time_base, rising
    AVRational sample_aspect{0, 1};
    Colour colour;
    bool tag_colour = false;
    std::string language;
};

struct SyntheticAudio {
    std::string encoder = "aac";
    int sample_rate = 48000;
    int channels = 2;
    double start_s = 0;
    double duration_s = 2;
    std::string language;
    std::string title;
};

struct SyntheticFile {
    SyntheticFile(std::vector<SyntheticVideo> with_videos, std::vector<SyntheticAudio> with_audios)
        : videos(std::move(with_videos)), audios(std::move(with_audios)) {}

    std::vector<SyntheticVideo> videos;
    std::vector<SyntheticAudio> audios;
    bool cover_art = false;   ///< the first video is a still picture attached to the audio
    Settings muxer_settings;
    double shift_s = 0;   ///< added to every time stamp
};

/// Writes `file` in `container` (an FFmpeg muxer name). Throws what the room throws.
void write_file(const std::filesystem::path& path, const std::string& container, const SyntheticFile& file);

/// `frames` time stamps at a constant rate: 0, step, 2 step, ...
std::vector<std::int64_t> constant_rate(int frames, std::int64_t step);
/// Uneven but strictly rising: steps of `step` times 1, 2, 1, 3, 0.4 ...
std::vector<std::int64_t> variable_rate(int frames, std::int64_t step);

/// B-frames with a reorder depth of two.
Settings with_b_frames();

/// Draws into zeroed planes a picture whose content moves with `n`; no two are alike, and each differs most from its
/// neighbours.
void draw(AVFrame& frame, int n);

struct PacketInfo {
    std::int64_t pts = 0;
    std::int64_t dts = 0;
    std::int64_t duration = 0;
    bool key = false;
    std::uint64_t hash = 0;   ///< of the payload
    friend bool operator==(const PacketInfo&, const PacketInfo&) = default;
};

struct StreamContent {
    AVMediaType type = AVMEDIA_TYPE_UNKNOWN;
    AVCodecID codec = AV_CODEC_ID_NONE;
    std::uint32_t tag = 0;
    AVRational time_base{1, 1};
    AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
    AVColorPrimaries primaries = AVCOL_PRI_UNSPECIFIED;
    AVColorTransferCharacteristic transfer = AVCOL_TRC_UNSPECIFIED;
    AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
    AVRational sample_aspect{0, 1};
    double duration_s = 0;
    int disposition = 0;
    std::string language;
    std::string title;
    std::vector<PacketInfo> packets;
};

/// Every packet of every stream, as libavformat reads them.
std::vector<StreamContent> read_file(const std::filesystem::path& path);

/// The first stream of the type; throws std::out_of_range without one.
const StreamContent& first(const std::vector<StreamContent>& streams, AVMediaType type);

/// Presentation times in seconds, sorted.
std::vector<double> sorted_times(const StreamContent& stream);

std::uint64_t hash(const std::uint8_t* data, std::size_t size, std::uint64_t start = 14695981039346656037ULL);
/// Of all samples of a picture, not of its padding.
std::uint64_t hash(const Picture& picture);

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes);

}   // namespace millstream::testing
