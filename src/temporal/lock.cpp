#include "temporal/lock.h"

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "millstream/error.h"
#include "motion/filters.h"
#include "temporal/blend_reference.h"

namespace millstream {
namespace {

// How far the input agrees with its predecessor, [1,1,h,w], 0..1: fully up to the noise's own scale plus the floor, not
// at all from 2.5 times the noise plus three times the floor, and never where the predecessor lies outside the frame.
at::Tensor confidence(const Motion& motion, float floor) {
    const at::Tensor residual = box_mean(motion.residual.unsqueeze(0).unsqueeze(0), 3);
    const at::Tensor full = motion.noise + floor;
    const at::Tensor none = motion.noise * 2.5 + 3 * floor;
    return ((none - residual) / (none - full)).clamp_(0, 1).mul_(motion.valid);
}

bool fits(const Motion& motion, const at::Tensor& frame) {
    const auto multiple = [](std::int64_t large, std::int64_t small) { return small > 0 && large % small == 0; };
    return frame.dim() == 3 && frame.size(0) == 3 && frame.scalar_type() == at::kFloat &&
           (motion.cut ||
            (multiple(frame.size(1), motion.flow.size(1)) && multiple(frame.size(2), motion.flow.size(2))));
}

}   // namespace

LockSettings lock_settings(TemporalPreset preset) {
    switch (preset) {
        case TemporalPreset::low:
            return {1, 2.0F / 255};
        case TemporalPreset::high:
            return {3, 4.0F / 255};
        case TemporalPreset::off:
        case TemporalPreset::medium:
            break;
    }
    return {2, 3.0F / 255};
}

void TemporalLock::stabilise(const Motion& motion, at::Tensor& frame) {
    const c10::InferenceMode inference;
    if (!fits(motion, frame)) {
        throw Error(ErrorKind::internal, {"stabilising a frame", "",
                                          "the frame is not a multiple of the size its motion was measured at", ""});
    }
    weight_.reset();
    if (motion.cut || window_.empty() || window_.at(0).output.sizes() != frame.sizes()) {
        remember(frame, {});
        return;
    }
    const History& last = window_.at(0);
    const at::Tensor flow = motion.flow.unsqueeze(0);
    at::Tensor agreed = confidence(motion, settings_.floor);
    if (last.count.defined()) {
        agreed.mul_(warp(last.count, flow, Interpolation::bilinear));
    }
    // A gain amplifies the noise of the history, too: n frames of it are worth n / gain^2 of this one.
    agreed.div_(motion.light[0].square());
    agreed.clamp_max_(settings_.most_history);
    at::Tensor count = agreed + 1;
    weight_ = (agreed / count).squeeze(0).squeeze(0);
    const BlendInputs inputs{last.output, motion.flow, motion.light, weight_, motion.still};
    if (frame.is_cpu() && frame.is_contiguous() && last.output.is_contiguous()) {
        cpu_blend_.blend(frame, inputs);
    } else {
        reference_blend(frame, inputs);
    }
    remember(frame, std::move(count));
}

void TemporalLock::reset() {
    window_.clear();
    weight_.reset();
}

// An undefined count stands for one frame everywhere.
void TemporalLock::remember(const at::Tensor& frame, at::Tensor count) {
    const std::size_t bytes = frame.nbytes() + (count.defined() ? count.nbytes() : 0);
    window_.push({frame, std::move(count)}, bytes);
}

}   // namespace millstream
