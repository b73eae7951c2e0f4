// A source file -> pictures in presentation order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/cropping.h"
#include "media/interlacing.h"
#include "media/probe.h"
#include "picture/picture.h"

namespace millstream {

/// The CUDA device on which decoded pictures are to stay, in the context that the rest of the process computes in.
struct DevicePlace {
    int device = 0;
    void* stream = nullptr;   ///< its CUstream on which pictures are written, and must be read; null: CUDA's default
};

struct DecoderSettings {
    int threads = 0;            ///< frame threads; 0 = FFmpeg's choice for this machine
    std::string hwaccel = {};   ///< FFmpeg device type (cuda, vaapi, qsv, ...); empty = software
    /// With hwaccel "cuda": frames stay there (Picture::on_device) where nothing has to be done to them in the host's
    /// memory, which is turning, deinterlacing, resampling, and any layout but NV12, P010 and P016.
    std::optional<DevicePlace> stay = {};
    bool strict = false;             ///< anything that DecodeStatistics counts is an Error(difference)
    bool film_grain_apart = false;   ///< leave synthesised grain to side data instead of adding it to the pictures
    /// At field rate the source must have been through use_field_rate().
    Deinterlacing deinterlacing = {};
    /// The source must have been through use_crop().
    std::optional<CropArea> crop = {};
    double start_s = 0;   ///< begin about here: at the key frame before it, where the container can; for a look inside
};

/// What went wrong on the way, counted. Nothing of it stops decoding.
struct DecodeStatistics {
    std::int64_t frames = 0;             ///< pictures handed out
    std::int64_t corrupt_packets = 0;    ///< refused by the decoder or flagged by the demuxer
    std::int64_t concealed_frames = 0;   ///< decoded with missing or damaged parts
    std::int64_t repaired_pts = 0;       ///< the sum of the next three
    std::int64_t missing_pts = 0;        ///< absent
    std::int64_t repeated_pts = 0;       ///< the same as the one before
    std::int64_t backward_pts = 0;       ///< earlier than the one before
    std::int64_t clock_jumps = 0;        ///< times the file's clock started again (MPEG-TS and -PS, FLV)
    std::int64_t on_device = 0;          ///< pictures handed out that have stayed on the device
    std::int64_t resized_frames = 0;     ///< of another size, format or matrix than the first
    std::uint64_t bytes_read = 0;        ///< of the file
    bool truncated = false;              ///< the file ended in an error, not at its end
};

/// Each kind that was counted as a sentence with its number.
std::vector<std::string> describe_damage(const DecodeStatistics& decoded);

/// Decodes one stream of a file, every frame the decoder has. One thread at a time.
/// pts: the frame's own best-effort time stamp in the stream's time base, strictly rising; where the source breaks that
/// the frame gets the previous pts plus one tick (or plus the nominal duration where it has none) and is counted.
/// duration: to the next frame's pts where the container says so, else 0.
/// Pictures of another size, format or matrix than the probed one are resampled to it (aspect kept, borders black).
class VideoDecoder {
public:
    /// Throws Error(input) when the stream cannot be opened or its codec has no decoder.
    VideoDecoder(const SourceInfo& source, const DecoderSettings& settings);
    ~VideoDecoder();
    VideoDecoder(VideoDecoder&&) noexcept;
    VideoDecoder& operator=(VideoDecoder&&) noexcept;

    /// The next picture, or nothing after the last one. The pixels are the decoder's own buffers, not copied unless
    /// they are turned. Throws Error(difference) where settings.strict and something had to be repaired.
    std::optional<Picture> next();

    /// `picture`, one of next() that has stayed on the device, as it would be had it not. Throws Error(resource).
    [[nodiscard]] Picture fetched(const Picture& picture);

    [[nodiscard]] const DecodeStatistics& statistics() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Host memory a decoder of this source holds at most: reference pictures, one frame a thread, and reordering. Bytes.
std::uint64_t decoder_memory(const SourceInfo& source, int threads);

/// Memory of its device that NVIDIA's decoder takes for its surfaces: an estimate, never measured. Bytes.
std::uint64_t decoder_device_memory(const SourceInfo& source);

}   // namespace millstream
