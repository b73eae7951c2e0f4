#include "temporal/lock.h"

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "millstream/error.h"
#include "motion/filters.h"
#include "temporal/blend_reference.h"

namespace millstream {
namespace {

constexpr std::int64_t kContrastWindow = 5;   // pixels a side
constexpr std::int64_t kShiftWindow = 5;
constexpr double kFlowError = 0.055;   // residual that an inexact flow leaves, of the contrast it moves
constexpr double kMostFlowError = 3.0 / 255;

// 1 up to `full`, 0 from `none` on.
at::Tensor falling(const at::Tensor& value, const at::Tensor& full, const at::Tensor& none) {
    return ((none - value) / (none - full)).clamp_(0, 1);
}

// Standard deviation of 5x5 pixels.
at::Tensor contrast(const at::Tensor& plane) {
    const at::Tensor mean = box_mean(plane, kContrastWindow);
    return (box_mean(plane.square(), kContrastWindow) - mean.square()).clamp_min_(0).sqrt_();
}

// How far the input agrees with its predecessor, [1,1,h,w], 0..1. See Note [What is trusted].
at::Tensor confidence(const Motion& motion, float floor) {
    const auto image = [](const at::Tensor& plane) { return plane.unsqueeze(0).unsqueeze(0); };
    const at::Tensor slack =
        contrast(luma(motion.warped.unsqueeze(0))).mul_(kFlowError).clamp_max_(kMostFlowError).add_(floor);
    const at::Tensor alike =
        falling(box_mean(image(motion.residual), 3), motion.noise + slack, motion.noise * 2.5 + slack * 3);
    const at::Tensor shift = box_mean(image(motion.difference), kShiftWindow).abs_();
    const at::Tensor level = falling(shift, motion.noise * 0.5 + 0.6 * floor, motion.noise + 1.6 * floor);
    return (alike * level).mul_(motion.valid);
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
            return {1, 1.5F / 255};
        case TemporalPreset::high:
            return {3, 3.5F / 255};
        case TemporalPreset::off:
        case TemporalPreset::medium:
            break;
    }
    return {2, 2.5F / 255};
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

// Plane by plane: its work space is as small as that.
void TemporalLock::approach(const TemporalLock& other, float most) {
    if (window_.empty() || other.window_.empty()) {
        return;
    }
    const c10::InferenceMode inference;
    for (std::int64_t channel = 0; channel < 3; ++channel) {
        const at::Tensor theirs = other.window_.at(0).output[channel];
        window_.at(0).output[channel].clamp_(theirs - most, theirs + most);
    }
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
