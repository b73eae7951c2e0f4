#include "pipeline/filter_stage.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <utility>

#include "millstream/error.h"
#include "pipeline/video_frame.h"

namespace millstream {
namespace {

// [n,3,h,w] of the frames' outputs; `shared`: memory of its own.
at::Tensor gather(const std::vector<Frame>& frames, bool shared) {
    if (frames.size() == 1) {
        const at::Tensor& output = frames.front().output;
        return (shared ? output.clone() : output).unsqueeze(0);
    }
    std::vector<at::Tensor> outputs;
    for (const Frame& frame : frames) {
        outputs.push_back(frame.output);
    }
    return at::stack(outputs);
}

}   // namespace

FilterStage::FilterStage(FrameFilter& filter, bool output_is_shared)
    : filter_(filter),
      shared_(output_is_shared),
      batch_(static_cast<std::size_t>(std::max(1, filter.batch_frames()))) {}

void FilterStage::process(Item item, const Emit& emit) {
    if (auto* frame = std::get_if<Frame>(&item)) {
        waiting_.push_back(std::move(*frame));
        if (waiting_.size() == batch_) {
            run(emit);
        }
        return;
    }
    if (!waiting_.empty()) {
        run(emit);
    }
    emit(std::move(item));
}

void FilterStage::run(const Emit& emit) {
    std::vector<Frame> frames = std::exchange(waiting_, {});
    if (shared_ || frames.size() > 1) {
        copies_ += static_cast<std::int64_t>(frames.size());
    }
    at::Tensor pixels = gather(frames, shared_);
    FilterBatch batch;
    batch.data = static_cast<float*>(pixels.data_ptr());
    batch.frames = pixels.size(0);
    batch.height = pixels.size(2);
    batch.width = pixels.size(3);
    for (const Frame& frame : frames) {
        batch.indices.push_back(frame.index);
    }
    batch.owner = keep(pixels);
    const std::vector<std::int64_t> shape = pixels.sizes().vec();
    pixels.reset();
    filter_.process(batch);
    if (batch.data == nullptr) {
        throw Error(ErrorKind::usage, {"running the caller's filter", "", "it gave no pixels back", ""});
    }
    const at::Tensor result = at::from_blob(
        batch.data, shape, [owner = batch.owner](void*) {}, at::TensorOptions().dtype(at::kFloat));
    batch.owner.reset();
    for (std::size_t i = 0; i < frames.size(); ++i) {
        frames[i].output = result[static_cast<std::int64_t>(i)];
        emit(std::move(frames[i]));
    }
}

}   // namespace millstream
