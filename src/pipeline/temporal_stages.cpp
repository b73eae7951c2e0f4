#include "pipeline/temporal_stages.h"

#include <ATen/Parallel.h>

#include <utility>

#include "enhance/second_try.h"
#include "pipeline/shortage.h"
#include "temporal/debug_view.h"

namespace millstream {
namespace {

// A pixel's flow, warped predecessor, residual and difference as floats, two flags.
constexpr std::uint64_t kMotionBytes = 7 * sizeof(float) + 2;
// Note [Temporal memory]
// Bytes an input pixel beside the tensors of a Motion, frames and history, measured at 1600x900 x2 on two threads as
// the growth of the resident memory: motion in bands 59 to 64 (luma of two
// frames, their pyramids, flow at two levels, a byte for what changed), the lock 40 to 65 (frames that agreed, their
// copy at its new place, what its confidence is made of, two rows of output in 32), both on one thread 104 to 119. In
// tensor operations, as on a device of its own, motion takes 250.
constexpr std::uint64_t kBandBytes = 66;
constexpr std::uint64_t kLockBytes = 68;
constexpr std::uint64_t kInTurnBytes = 124;
constexpr std::uint64_t kTensorBytes = 260;

// What a still picture may move from frame to frame before a chunk begins, and where it does.
constexpr float kApproach = 2.0F / 255;

// Torch's number of threads is a setting of the calling thread, and its default may be 1.
void use_threads(int threads) {
    if (at::get_num_threads() != threads) {
        at::set_num_threads(threads);
    }
}

}   // namespace

TemporalMemory temporal_memory(DebugView view, Size input, int scale, bool in_bands) {
    const auto pixels = static_cast<std::uint64_t>(input.width) * static_cast<std::uint64_t>(input.height);
    const std::uint64_t output = pixels * static_cast<std::uint64_t>(scale * scale) * 3 * sizeof(float);
    TemporalMemory memory;
    memory.motion = pixels * kMotionBytes;
    memory.history = output + pixels * sizeof(float);
    // The second lock's history and frame in hand, and what lies two codes from one of its planes; a view, and the
    // frame as it was.
    const std::uint64_t pictures = 2 * output + 2 * output / 3 + (view == DebugView::none ? 0 : 2 * output);
    memory.apart = pixels * ((in_bands ? kBandBytes : kTensorBytes) + kLockBytes) + pictures;
    memory.in_turn = pixels * (in_bands ? kInTurnBytes : kTensorBytes + kLockBytes) + pictures;
    return memory;
}

void MotionStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        use_threads(threads_);
        with_second_try([&] { frame->motion = estimator_.next(frame->input); });   // remembers only what it could do
    } else {
        estimator_.reset();
    }
    emit(std::move(item));
}

void TemporalStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        use_threads(threads_);
        stabilise(*frame);
    } else {
        lock_.reset();
        next_.reset();
    }
    emit(std::move(item));
}

// The second lock works on a copy: what it makes of the frames before the boundary is seen by nobody.
void TemporalStage::prepare_next(const Frame& frame) {
    if (chunks_.begins(frame.index) && next_) {
        lock_ = *std::exchange(next_, std::nullopt);
    }
    if (chunks_.begins(frame.index + Chunks::kWarmUp) && !frame.warm_up) {
        next_.emplace(settings_, most_bytes_);
    }
    if (next_) {
        at::Tensor copy = frame.output.clone();
        next_->stabilise(frame.motion, copy);
    }
}

void TemporalStage::stabilise(Frame& frame) {
    prepare_next(frame);
    const at::Tensor raw = view_ == DebugView::split ? frame.output.clone() : at::Tensor();
    lock_.stabilise(frame.motion, frame.output);
    if (next_) {
        lock_.approach(*next_, kApproach * static_cast<float>(chunks_.left(frame.index)));
    }
    if (view_ != DebugView::none) {
        const float most_weight = settings_.most_history / (settings_.most_history + 1);
        frame.output = render_debug_view(view_, frame.motion, lock_.weight(), most_weight, raw, frame.output);
    }
    frame.motion = {};
}

}   // namespace millstream
