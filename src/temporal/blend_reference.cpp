#include "temporal/blend_reference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/where.h>

#include "motion/filters.h"
#include "temporal/blend_parameters.h"

namespace millstream {
namespace {

// An input-sized flow for the output's grid, in output pixels.
at::Tensor enlarged_flow(const at::Tensor& flow, std::int64_t height, std::int64_t width) {
    at::Tensor large = at::upsample_bilinear2d(flow.unsqueeze(0), {height, width}, false);
    large.select(1, 0).mul_(static_cast<double>(width) / static_cast<double>(flow.size(2)));
    large.select(1, 1).mul_(static_cast<double>(height) / static_cast<double>(flow.size(1)));
    return large;
}

}   // namespace

void reference_blend(at::Tensor& frame, const BlendInputs& inputs) {
    const at::Tensor now = frame.unsqueeze(0);
    const std::int64_t height = now.size(2);
    const std::int64_t width = now.size(3);
    const at::Tensor before = inputs.history.unsqueeze(0);
    const at::Tensor moved =
        warp(before, enlarged_flow(inputs.flow, height, width), Interpolation::bicubic) * inputs.light[0] +
        inputs.light[1];

    const at::Tensor mean = box_mean(now, 3);
    const at::Tensor spread =
        (box_mean(now * now, 3) - mean * mean).clamp_min_(0).sqrt_().mul_(blend::kSpread).add_(blend::kSlack);
    const at::Tensor least = at::minimum(mean - spread, now - blend::kSlack);
    const at::Tensor most = at::maximum(mean + spread, now + blend::kSlack);
    const at::Tensor clipped = at::clamp(moved, least, most);

    const at::Tensor weight =
        at::upsample_bilinear2d(inputs.weight.unsqueeze(0).unsqueeze(0), {height, width}, false).expand_as(now);
    // Within 0..1, except where the network's own value lies outside already: super-white stays.
    const at::Tensor mixed = at::clamp(at::lerp(now, clipped, weight), now.clamp_max(0), now.clamp_min(1));
    const at::Tensor still =
        at::upsample_nearest2d(inputs.still.to(at::kFloat).unsqueeze(0).unsqueeze(0), {height, width}) > 0;
    frame.copy_(at::where(still, before, mixed).squeeze(0));
}

}   // namespace millstream
