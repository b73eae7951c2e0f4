#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <limits>

#include "motion/compensation.h"
#include "motion/filters.h"

namespace millstream {
namespace {

using namespace compensation;   // the constants

at::Tensor unchanged(const at::Tensor& now, const at::Tensor& before) {
    const at::Tensor changed = (now != before).any(1, true).to(at::kFloat);
    return at::max_pool2d(changed, {kStillWindow, kStillWindow}, {1, 1}, {kStillWindow / 2, kStillWindow / 2}) == 0;
}

}   // namespace

at::Tensor compensation::without_small_moves(const at::Tensor& flow) {
    return at::where(flow.square().sum(1, true) < kDeadZone * kDeadZone, at::zeros_like(flow), flow);
}

Motion reference_compensation(const at::Tensor& now, const at::Tensor& before, const at::Tensor& flow,
                              const at::Tensor& light) {
    const at::Tensor kept = without_small_moves(flow);
    const at::Tensor warped = warp(before, kept, Interpolation::bilinear) * light[0] + light[1];
    Motion motion;
    motion.cut = false;
    motion.flow = kept.squeeze(0);
    motion.light = light;
    motion.warped = warped.squeeze(0);
    motion.residual = (now - warped).abs_().mean(1).squeeze(0);
    motion.difference = (luma(now) - luma(warped)).squeeze(0).squeeze(0);
    motion.noise = noise_scale(motion.residual);
    motion.valid = lands_inside(kept).squeeze(0).squeeze(0);
    motion.still = unchanged(now, before).squeeze(0).squeeze(0);
    return motion;
}

// Every second pixel of both sides: a quarter of the work, the same median.
at::Tensor noise_scale(const at::Tensor& residual) {
    using at::indexing::Slice;
    const at::Tensor some = residual.index({Slice(0, {}, 2), Slice(0, {}, 2)}).flatten();
    const at::Tensor changed = at::where(some > kLeastChange, some, std::numeric_limits<float>::quiet_NaN());
    const at::Tensor coded = changed.nanmedian().nan_to_num(0).clamp_max(kMostCodedNoise);
    return at::maximum(some.median(), coded).clamp_max(kMostNoise);
}

}   // namespace millstream
