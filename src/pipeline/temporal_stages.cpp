#include "pipeline/temporal_stages.h"

#include <ATen/Parallel.h>

#include <utility>

#include "temporal/debug_view.h"

namespace millstream {
namespace {

// A pixel's flow, warped predecessor, residual and difference as floats, two flags.
constexpr std::uint64_t kMotionBytes = 7 * sizeof(float) + 2;
// A pixel's luma in two frames, pyramids, flow at two levels, counts and weights: what the rooms allocate.
constexpr std::uint64_t kWorkBytes = 40 * sizeof(float);

// What a still picture may move from frame to frame before a chunk begins, and where it does.
constexpr float kApproach = 2.0F / 255;

// Torch's number of threads is a setting of the calling thread, and its default may be 1.
void use_threads(int threads) {
    if (at::get_num_threads() != threads) {
        at::set_num_threads(threads);
    }
}

}   // namespace

TemporalMemory temporal_memory(const Options& options, Size input, int scale) {
    const auto pixels = static_cast<std::uint64_t>(input.width) * static_cast<std::uint64_t>(input.height);
    const std::uint64_t output = pixels * static_cast<std::uint64_t>(scale * scale) * 3 * sizeof(float);
    TemporalMemory memory;
    memory.motion = pixels * kMotionBytes;
    memory.history = output + pixels * sizeof(float);
    memory.work = pixels * kWorkBytes + 2 * output;   // the second lock's history and frame in hand
    memory.work += 2 * output / 3;                    // what lies two codes from one of its planes
    if (options.debug_view != DebugView::none) {
        memory.work += 2 * output;   // the frame as it was, and its view
    }
    return memory;
}

void MotionStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        use_threads(threads_);
        frame->motion = estimator_.next(frame->input);
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
