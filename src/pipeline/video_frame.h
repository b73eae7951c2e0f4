// What a VideoFrame holds, and what frames of one origin share.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "frame/convert.h"
#include "frame/tensor_pool.h"
#include "millstream/frames.h"
#include "picture/picture.h"

namespace millstream {

/// Pools, converter and counters of the frames of one reader or enhancer; outlives it where frames do. Thread-safe.
class FrameOrigin {
public:
    explicit FrameOrigin(Size size);

    /// A buffer for one planar representation, or for one packed one (as bytes of the floats' memory).
    [[nodiscard]] at::Tensor take_planar() { return planar_.take(); }
    [[nodiscard]] at::Tensor take_packed() { return packed_.take(); }

    /// The decoder's picture as a tensor; the converter is kept for the next frame.
    void convert(const Picture& picture, at::Tensor& tensor);

    [[nodiscard]] FrameCounts counts() const;
    [[nodiscard]] Size size() const { return size_; }

    std::atomic<std::int64_t> live{0};
    std::atomic<std::int64_t> planar_writes{0};
    std::atomic<std::int64_t> packed_writes{0};

private:
    Size size_;
    TensorPool planar_;
    TensorPool packed_;
    std::mutex mutex_;
    // protected by mutex_
    std::optional<PictureToTensor> converter_;
    PixelFormat format_;
    Colour colour_;
};

struct VideoFrame::State {
    explicit State(std::shared_ptr<FrameOrigin> frame_origin);
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { --origin->live; }

    std::shared_ptr<FrameOrigin> origin;
    std::int64_t index = -1;
    std::int64_t pts = 0;        ///< source stream's time base
    std::int64_t duration = 0;   ///< likewise; 0 = unknown
    double time_s = 0;
    double duration_s = 0;

    /// [3,h,w]; written when first asked for. Thread-safe.
    at::Tensor planar();
    PackedPixels packed(ChannelOrder order);

    std::mutex mutex;
    // protected by mutex: the representations there are; at least one from the start
    Picture picture;
    at::Tensor planar_pixels;
    PackedPixels bgr;
    PackedPixels rgb;

private:
    at::Tensor planar_locked();
};

/// A tensor's memory kept by a shared pointer.
std::shared_ptr<void> keep(const at::Tensor& tensor);

}   // namespace millstream
