// Frames one by one, for programs that have a loop of their own:
//
//     FrameReader reader("in.mp4");
//     FrameEnhancer enhancer(options);
//     FrameWriter writer("out.mp4", reader, options);
//     enhancer.stream([&] { return reader.next(); }, [&](VideoFrame frame) { writer.write(frame); });
//     writer.finish();
//
// No type of FFmpeg, Torch or OpenCV here; millstream/torch.h and millstream/opencv.h give the same pixels as theirs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "millstream/options.h"
#include "millstream/resources.h"

namespace millstream {

/// float32, a plane each of R, G and B, 0..1 nominal, gamma as in the source; pixels of a row lie side by side.
struct PlanarPixels {
    float* data = nullptr;
    int width = 0;
    int height = 0;
    std::ptrdiff_t row = 0;        ///< floats from a row to the next
    std::ptrdiff_t plane = 0;      ///< floats from a plane to the next
    std::shared_ptr<void> owner;   ///< keeps the memory
};

enum class ChannelOrder { bgr, rgb };

/// uint8, three channels side by side, as OpenCV has pictures.
struct PackedPixels {
    std::uint8_t* data = nullptr;
    int width = 0;
    int height = 0;
    std::ptrdiff_t row = 0;   ///< bytes from a row to the next
    ChannelOrder order = ChannelOrder::bgr;
    std::shared_ptr<void> owner;
};

/// What frames of one origin have cost so far.
struct FrameCounts {
    std::int64_t live = 0;            ///< frames that somebody holds
    std::int64_t planar_writes = 0;   ///< planar representations written
    std::int64_t packed_writes = 0;   ///< packed ones, both orders together
    std::int64_t buffers = 0;         ///< pixel buffers ever allocated: the most that were in use at a time
    /// Pixel buffers that are not back in their pool: those of frames, and those that views alone still keep. What a
    /// frame's caller brought, and the decoder's own pictures, are none.
    std::int64_t buffers_in_use = 0;
};

/// A share of one frame: copies are cheap and hold the same pixels. A representation is written once, when it is first
/// asked for, into memory of a pool, which takes it back when the last share and the last view of it have gone. Views
/// (the structs above) may outlive the frame and the reader. Thread-safe; who writes through a view changes what others
/// see.
class VideoFrame {
public:
    VideoFrame() = default;

    /// A frame of pixels that exist: nothing is copied, the owner is kept.
    explicit VideoFrame(PackedPixels pixels);
    explicit VideoFrame(PlanarPixels pixels);

    [[nodiscard]] bool empty() const { return state_ == nullptr; }
    [[nodiscard]] Size size() const;
    [[nodiscard]] std::int64_t index() const;   ///< 0, 1, 2, ... in its video; -1 = of no video
    [[nodiscard]] double time_s() const;        ///< from the first frame
    [[nodiscard]] double duration_s() const;    ///< 0 = unknown

    [[nodiscard]] PlanarPixels planar() const;
    [[nodiscard]] PackedPixels packed(ChannelOrder order = ChannelOrder::bgr) const;

    /// These pixels at the place of `other` in its video.
    [[nodiscard]] VideoFrame at_time_of(const VideoFrame& other) const;

    struct State;
    explicit VideoFrame(std::shared_ptr<State> state) : state_(std::move(state)) {}
    [[nodiscard]] State& state() const { return *state_; }   ///< for the library

private:
    std::shared_ptr<State> state_;
};

/// Decodes a video from its first frame to its last. One thread at a time.
class FrameReader {
public:
    /// Of `options`: input, video_stream, hwaccel, bake_rotation, deinterlace (which looks at the video's first frames,
    /// and is automatic by default, as in a job). Throws Error(input), Error(usage).
    explicit FrameReader(const Options& options);
    explicit FrameReader(const std::filesystem::path& input);
    ~FrameReader();
    FrameReader(FrameReader&&) noexcept;
    FrameReader& operator=(FrameReader&&) noexcept;

    /// The next frame, or an empty one after the last.
    VideoFrame next();

    [[nodiscard]] const std::filesystem::path& path() const;
    [[nodiscard]] const Options& options() const;
    [[nodiscard]] Size size() const;
    [[nodiscard]] double frame_rate() const;     ///< average; 0 = unknown
    [[nodiscard]] std::int64_t frames() const;   ///< expected; 0 = unknown
    [[nodiscard]] FrameCounts counts() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A network with what belongs to it: tiles, colour fix, temporal lock. One thread at a time.
class FrameEnhancer {
public:
    /// Of `options`: model, scale, size, fit, backend, precision, device, tile, batch, threads, colour_fix, reuse,
    /// temporal, temporal_flow, max_memory, max_vram, release. Loads the network; throws Error(model), Error(usage).
    /// Where memory runs short later, less is done at a time, as in a job; the frames are the same.
    explicit FrameEnhancer(const Options& options);
    ~FrameEnhancer();
    FrameEnhancer(FrameEnhancer&&) noexcept;
    FrameEnhancer& operator=(FrameEnhancer&&) noexcept;

    /// One picture for itself, without temporal history.
    VideoFrame enhance(const VideoFrame& frame);

    /// Successive frames, with several in flight and temporal history: push them, then pop until empty; after the last
    /// push, drain until empty. push() waits where more would be in flight than memory was planned for, pop() does not.
    /// A frame of another size starts anew.
    void push(const VideoFrame& frame);
    VideoFrame pop();
    VideoFrame drain();
    /// Forgets history and drops what is in flight: waits for what the network is at, and computes nothing more.
    void reset();

    /// All frames `next` gives, until an empty one, to `take`, in order.
    void stream(const std::function<VideoFrame()>& next, const std::function<void(VideoFrame)>& take);

    [[nodiscard]] int scale() const;
    [[nodiscard]] std::int64_t in_flight() const;
    [[nodiscard]] FrameCounts counts() const;   ///< of the frames it gave
    /// What the caller should know of the way it works here; a sentence each, mostly none.
    [[nodiscard]] const std::vector<std::string>& notes() const;
    /// What was done because memory ran short, as in Report::backoffs. Each names the frame's index.
    [[nodiscard]] const std::vector<BackOff>& back_offs() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Encodes frames beside the other streams of the video they come from. One thread at a time. Until finish() the file
/// is called OUT.part, with OUT.millstream.json beside it; without it, both are removed.
class FrameWriter {
public:
    /// Of `options`: overwrite, size, codec, encoder, crf, preset, encoder_options, pixel_format, faststart, audio,
    /// subtitles, convert_subtitles, max_memory, disk_limit. video_stream, bake_rotation and deinterlace are those of
    /// `like`; others have no effect. What depends on the frames' size is decided with the first one. Frames have no
    /// alpha plane, and the file gets none. Throws Error(usage), Error(refused): also where OUT.part holds an
    /// interrupted job or is somebody else's, unless Options::resume is `never`.
    FrameWriter(const std::filesystem::path& output, const FrameReader& like, const Options& options = {});
    ~FrameWriter();
    FrameWriter(FrameWriter&&) noexcept;
    FrameWriter& operator=(FrameWriter&&) noexcept;

    /// Frames in rising order of time, all of one size; those of no video follow one another at the source's rate.
    void write(const VideoFrame& frame);

    /// Completes the file and returns the number of frames in it. Throws Error(input) where there are none.
    std::int64_t finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}   // namespace millstream
