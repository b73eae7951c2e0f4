#include "motion/estimator.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "millstream/error.h"
#include "motion/filters.h"
#include "motion/flow_reference.h"
#include "motion/scene_cut.h"

namespace millstream {
namespace {

constexpr double kDeadZone = 0.12;         // pixels: below the flow's own error, a shift would only blur
constexpr double kMostNoise = 8.0 / 255;   // a frame that changes everywhere does not raise the scale any further
constexpr std::int64_t kStillWindow = 5;   // pixels a side

void check(const at::Tensor& input) {
    if (input.dim() != 3 || input.size(0) != 3 || input.size(1) < 2 || input.size(2) < 2 ||
        input.scalar_type() != at::kFloat) {
        throw Error(ErrorKind::internal,
                    {"measuring motion", "", "the frame is not a float tensor of shape [3,h,w]", ""});
    }
}

at::Tensor without_small_moves(const at::Tensor& flow) {
    return at::where(flow.square().sum(1, true) < kDeadZone * kDeadZone, at::zeros_like(flow), flow);
}

// Every second pixel of both sides: a quarter of the work, the same median.
at::Tensor noise_scale(const at::Tensor& residual) {
    using at::indexing::Slice;
    return residual.index({Slice(0, {}, 2), Slice(0, {}, 2)}).flatten().median().clamp_max(kMostNoise);
}

at::Tensor unchanged(const at::Tensor& input, const at::Tensor& previous) {
    const at::Tensor changed = (input != previous).any(1, true).to(at::kFloat);
    return at::max_pool2d(changed, {kStillWindow, kStillWindow}, {1, 1}, {kStillWindow / 2, kStillWindow / 2}) == 0;
}

}   // namespace

std::size_t Motion::bytes() const {
    std::size_t sum = 0;
    for (const at::Tensor* tensor : {&flow, &warped, &residual, &noise, &valid, &still}) {
        sum += tensor->defined() ? tensor->nbytes() : 0;
    }
    return sum;
}

Motion MotionEstimator::next(const at::Tensor& input) {
    const c10::InferenceMode inference;
    check(input);
    const at::Tensor now = input.unsqueeze(0);
    const at::Tensor now_luma = luma(now);
    Motion motion;
    motion.cut = !input_.defined() || input_.sizes() != now.sizes() || is_scene_cut(now_luma, luma_);
    if (!motion.cut) {
        const at::Tensor flow = without_small_moves(this->flow(now_luma));
        const at::Tensor warped = warp(input_, flow, Interpolation::bilinear);
        motion.flow = flow.squeeze(0);
        motion.warped = warped.squeeze(0);
        motion.residual = (now - warped).abs_().mean(1).squeeze(0);
        motion.noise = noise_scale(motion.residual);
        motion.valid = lands_inside(flow).squeeze(0).squeeze(0);
        motion.still = unchanged(now, input_).squeeze(0).squeeze(0);
    }
    input_ = now;
    luma_ = now_luma;
    return motion;
}

at::Tensor MotionEstimator::flow(const at::Tensor& now_luma) {
    const bool on_cpu = now_luma.is_cpu() && luma_.is_cpu();
    return on_cpu ? cpu_flow_.flow(now_luma.contiguous(), luma_.contiguous())
                  : reference_flow(now_luma, luma_, quality_);
}

void MotionEstimator::reset() {
    input_.reset();
    luma_.reset();
}

}   // namespace millstream
