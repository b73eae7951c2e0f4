// The stages of a job, in the order frames pass them: decode, to tensor, enhance, fix colours, to picture, encode.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "enhance/colour_fix.h"
#include "enhance/reuse_enhancer.h"
#include "enhance/steady_enhancer.h"
#include "frame/convert.h"
#include "frame/plane_tensors.h"
#include "frame/tensor_pool.h"
#include "media/decoder.h"
#include "media/output.h"
#include "motion/motion_on_demand.h"
#include "pipeline/chunks.h"
#include "pipeline/committer.h"
#include "pipeline/resume.h"
#include "pipeline/stage.h"

namespace millstream {

/// Decoded pictures, until the file ends or a stop is requested.
class DecodeSource : public Source {
public:
    /// Begins at `start`; frames before `first_new` are handed on for warming up.
    DecodeSource(VideoDecoder& decoder, LiveFrames& live, const Chunks& chunks, const DecodeStart& start,
                 std::int64_t first_new, std::stop_token stop);
    [[nodiscard]] std::string_view name() const override { return "decode"; }
    std::optional<Frame> next() override;

private:
    VideoDecoder& decoder_;
    LiveFrames& live_;
    Chunks chunks_;
    DecodeStart start_;
    std::int64_t first_new_;
    std::stop_token stop_;
    std::int64_t next_index_ = 0;
};

// Note [Surfaces]
// A hardware decoder has few surfaces, and writes into one again when its picture is let go. The planes are copied into
// memory of Torch's, within the device, and the host waits for that, so that the decoder has its surface back however
// far behind the network is. The decoder's last step is asked of the very stream that the copy is asked of
// (DevicePlace::stream, DeviceLink::take_over): there the copy comes behind it, and neither waits for the network. What
// makes RGB of the copy is asked of the stream of the device's work, which an event holds until the copy is there.

/// Fills Frame::input from Frame::source and lets the decoder have its picture back. A picture whose colour tags differ
/// from the one before is converted by its own. One that is on a device must be on that of `link`, and of a matrix that
/// converts_on_device(): Note [Surfaces].
class ToTensorStage : public Stage {
public:
    /// `keep_alpha`: `format` has an alpha plane and the output keeps it: Frame::alpha. `link`: the planes go to that
    /// device as they are, and the tensor is made there.
    ToTensorStage(const PixelFormat& format, int width, int height, bool keep_alpha = false,
                  std::shared_ptr<DeviceLink> link = nullptr);
    [[nodiscard]] std::string_view name() const override { return "to-tensor"; }
    void process(Item item, const Emit& emit) override;
    [[nodiscard]] const TensorPool& pool() const { return pool_; }

private:
    void prepare(const Colour& colour);
    [[nodiscard]] at::Tensor converted(const Picture& picture);

    PixelFormat format_;
    int width_;
    int height_;
    bool keep_alpha_;
    std::shared_ptr<DeviceLink> link_;
    TensorPool pool_;
    std::optional<Colour> colour_;
    std::optional<PictureToTensor> convert_;
    std::optional<PlanesToRgb> convert_there_;   // one of the two
};

/// Fills Frame::output from Frame::input, and from what was made of the frame before. Frames that arrive after a stop
/// request are dropped. Where memory runs short it does less at a time: Note [Back-off] in enhance/effort.h.
class EnhanceStage : public Stage {
public:
    struct Settings {
        SteadyEnhancer::Settings enhancer;
        std::optional<ReuseSettings> reuse;   ///< nothing: every frame is computed
        int strips = 1;                       ///< of a whole frame: ReuseEnhancer::Settings
        /// Nobody has filled Frame::motion: cuts and flow are found here, where reuse needs them.
        std::optional<FlowQuality> find_motion;
        std::int64_t chunk_frames = 0;                ///< reuse starts anew kWarmUp frames before each; 0 = it is one
        std::size_t frames_in_flight = 0;             ///< most frames that wait when process() returns
        bool keep_input = false;                      ///< a later stage needs Frame::input
        std::shared_ptr<DeviceLink> link = nullptr;   ///< tensors are on that device; null = in the host's memory
    };
    /// Of `surroundings` make_output is the stage's own, and release_caches comes behind giving back its pool's memory.
    EnhanceStage(const Settings& settings, SteadyEnhancer::Surroundings surroundings, std::stop_token stop);
    [[nodiscard]] std::string_view name() const override { return "enhance"; }
    void process(Item item, const Emit& emit) override;
    [[nodiscard]] double copies() const { return network_.copies() + enhancer_.copies(); }
    [[nodiscard]] const ReuseCounts& reuse_counts() const { return enhancer_.counts(); }
    [[nodiscard]] double network_s() const { return network_.busy_s(); }
    [[nodiscard]] Precision precision() const { return network_.effort().precision; }
    /// Set while the queues between the stages should hold one item each. Read by any thread.
    [[nodiscard]] const std::atomic<bool>& short_queues() const { return short_queues_; }

private:
    SteadyEnhancer::Surroundings completed(SteadyEnhancer::Surroundings surroundings);
    void submit(Frame frame);
    void emit_done(EnhancerFrame done, const Emit& emit);

    Settings settings_;
    TensorPool pool_;
    std::deque<Frame> waiting_;   // the frames inside enhancer_, in order
    SteadyEnhancer network_;
    ReuseEnhancer enhancer_;
    std::optional<MotionOnDemand> motion_;
    std::atomic<bool> short_queues_{false};
    std::stop_token stop_;
};

/// Corrects Frame::output by Frame::input, which is released then.
class ColourFixStage : public Stage {
public:
    explicit ColourFixStage(int scale) : fix_(scale) {}
    [[nodiscard]] std::string_view name() const override { return "colour-fix"; }
    void process(Item item, const Emit& emit) override;

private:
    ColourFix fix_;
};

/// Fills Frame::result from Frame::output and Frame::alpha: colour conversion, and resampling where the sizes differ.
/// `link`: Frame::output is on that device; it is converted there, without dither, and its planes come back. Then the
/// sizes must be the same, and there is no alpha. `surface`: gives pictures in that device's memory (NV12, P010), which
/// are filled there instead, and where the encoder reads them.
class ToPictureStage : public Stage {
public:
    ToPictureStage(Size network_output, const EncoderSettings& encoder, std::shared_ptr<DeviceLink> link = nullptr,
                   std::function<Picture()> surface = nullptr);
    [[nodiscard]] std::string_view name() const override { return "to-picture"; }
    void process(Item item, const Emit& emit) override;

private:
    [[nodiscard]] Picture converted(const Frame& frame);

    PicturePool pool_;
    std::shared_ptr<DeviceLink> link_;
    std::function<Picture()> surface_;
    std::optional<TensorToPicture> convert_;
    std::optional<RgbToPlanes> convert_there_;   // one of the two
};

/// What has been handed to the encoder so far. Written by the encode stage, read by the thread that watches the job.
struct EncodeProgress {
    std::atomic<std::int64_t> frames{0};
    std::atomic<std::int64_t> last_pts{0};
    std::atomic<std::uint64_t> bytes{0};
};

/// Hands Frame::result to the encoder, and commits what is in it where a chunk begins.
class EncodeStage : public Stage {
public:
    EncodeStage(VideoOutput& output, ChunkCommitter& committer, const Chunks& chunks, EncodeProgress& progress)
        : output_(output), committer_(committer), chunks_(chunks), progress_(progress) {}
    [[nodiscard]] std::string_view name() const override { return "encode"; }
    void process(Item item, const Emit& emit) override;

private:
    VideoOutput& output_;
    ChunkCommitter& committer_;
    Chunks chunks_;
    EncodeProgress& progress_;
};

}   // namespace millstream
