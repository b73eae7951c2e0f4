// Pictures -> encoded video beside the copied streams, in one growing file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "media/carriage.h"
#include "media/device_pictures.h"
#include "media/encoding.h"
#include "media/output_state.h"
#include "media/probe.h"
#include "picture/picture.h"

namespace millstream {

struct OutputSpec {
    std::filesystem::path path;   ///< file to write, e.g. OUT.part
    std::string container;        ///< FFmpeg muxer name
    EncoderSettings encoder;
    std::shared_ptr<DevicePictures> surfaces = {};   ///< of which the pictures are; null: they are in the host's memory
    std::vector<CarriedStream> carried;              ///< beside the video, rising indices
    std::uint64_t index_bytes = 0;   ///< MP4, MOV: room for Note [Index in front]; 0 = the index stays at the end
    std::optional<OutputState> resume = {};   ///< go on behind it; what the file holds beyond is cut off
    /// Where nothing is gone on with: takes the text `begun` before the file is emptied, in place of what it is about.
    std::filesystem::path checkpoint = {};
    std::string begun = {};
    FileCalls* files = &system_files();   ///< must outlive the output
};

struct OutputStatistics {
    std::int64_t frames = 0;   ///< video packets written
    std::int64_t copied_packets = 0;
    std::int64_t repaired_packets = 0;   ///< copied ones whose time stamps were missing or went backwards
    std::int64_t damaged_packets = 0;    ///< of copied streams: carried over as they are, or left out
    std::uint64_t video_bytes = 0;       ///< of the encoded video alone
    std::uint64_t bytes = 0;             ///< of the file
    std::uint64_t bytes_read = 0;        ///< of the source, for what is copied
    bool index_in_front = false;
};

/// Encodes pictures and interleaves them with packets copied from the source by a demuxer of its own, pulled up to the
/// video's dts, so that memory does not grow with the file. One thread at a time.
/// Pictures: format and size of spec.encoder, pts strictly rising in the source video stream's time base. The encoder
/// sees frame indices, never time stamps; pts and dts are mapped back from the index (see Note [Frame indices]).
///
/// Note [Chunks]
/// The file grows by chunks. At the end of one the encoder is drained, everything is appended and synced, and the next
/// chunk begins with an encoder opened anew: so the state between two chunks is a page of numbers (OutputState), and a
/// later run that starts from it writes what this one would have written. Within a chunk a piece (fragment) is appended
/// now and then, so that memory does not grow with the chunk either; without a chunk's end it is worth nothing.
class VideoOutput {
public:
    /// Opens encoder, muxer, the second demuxer and the file, which is locked.
    /// Throws Error(usage) for settings the encoder refuses, Error(refused) when the file cannot be opened or does not
    /// go with spec.resume.
    VideoOutput(const OutputSpec& spec, const SourceInfo& source);
    ~VideoOutput();   ///< closes; cuts off what belongs to no finished chunk
    VideoOutput(VideoOutput&&) noexcept;
    VideoOutput& operator=(VideoOutput&&) noexcept;

    /// Takes a picture; the encoder keeps a share of it for as long as it needs.
    /// Throws Error(resource) when the disk is full or writing fails.
    void write(const Picture& picture);

    /// Ends a chunk that is not the last. `next_pts`: of the picture that comes next. Everything of the chunk is on the
    /// disk when it returns.
    OutputState end_chunk(std::int64_t next_pts);

    /// From the next chunk on. Only before a chunk's first picture.
    void set_rate(int crf, std::int64_t max_rate, std::int64_t max_buffer);

    /// Ends the last chunk, with the rest of the copied streams.
    OutputState end();

    /// Behind end(), or where spec.resume was complete: makes an ordinary file of it, in place.
    OutputStatistics finish();

    [[nodiscard]] const OutputStatistics& statistics() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}   // namespace millstream
