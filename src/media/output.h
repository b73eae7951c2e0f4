// Pictures -> encoded video beside the copied streams, in one growing file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "media/carriage.h"
#include "media/encoding.h"
#include "media/probe.h"
#include "picture/picture.h"

namespace millstream {

struct OutputSpec {
    std::filesystem::path path;   ///< file to write, e.g. OUT.part; created or truncated
    std::string container;        ///< FFmpeg muxer name
    EncoderSettings encoder;
    std::vector<CarriedStream> carried;   ///< beside the video, rising indices
    std::uint64_t index_bytes = 0;        ///< MP4, MOV: room for Note [Index in front]; 0 = the index stays at the end
};

struct OutputStatistics {
    std::int64_t frames = 0;   ///< video packets written
    std::int64_t copied_packets = 0;
    std::int64_t repaired_packets = 0;   ///< copied ones whose time stamps were missing or went backwards
    std::int64_t damaged_packets = 0;    ///< of copied streams, left out
    std::uint64_t bytes = 0;             ///< of the file
    std::uint64_t bytes_read = 0;        ///< of the source, for what is copied
    bool index_in_front = false;
};

/// Encodes pictures and interleaves them with packets copied from the source by a demuxer of its own, pulled up to the
/// video's dts, so that memory does not grow with the file. One thread at a time.
/// Pictures: format and size of spec.encoder, pts strictly rising in the source video stream's time base. The encoder
/// sees frame indices, never time stamps; pts and dts are mapped back from the index (see Note [Frame indices]).
class VideoOutput {
public:
    /// Opens encoder, muxer and the second demuxer, writes the header.
    /// Throws Error(usage) for settings the encoder refuses, Error(refused) when the file cannot be created.
    VideoOutput(const OutputSpec& spec, const SourceInfo& source);
    ~VideoOutput();   ///< closes; the file is complete only after finish()
    VideoOutput(VideoOutput&&) noexcept;
    VideoOutput& operator=(VideoOutput&&) noexcept;

    /// Takes a picture; the encoder keeps a share of it for as long as it needs.
    /// Throws Error(resource) when the disk is full or writing fails.
    void write(const Picture& picture);

    /// Drains the encoder, copies the rest of the copied streams and finalises the file.
    /// `up_to_video_end`: a job that was stopped: copied streams end with the last picture.
    OutputStatistics finish(bool up_to_video_end = false);

    [[nodiscard]] const OutputStatistics& statistics() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}   // namespace millstream
