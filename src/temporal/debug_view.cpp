#include "temporal/debug_view.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/atan2.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

#include <numbers>

namespace millstream {
namespace {

constexpr double kFullColourSpeed = 8;   // input pixels a frame

// The colour of full brightness with `hue` 0..6 (red, yellow, green, cyan, blue, magenta) and `saturation` 0..1.
at::Tensor colour(const at::Tensor& hue, const at::Tensor& saturation) {
    const auto channel = [&](double centre) {   // 1 within one step of its own hue, falling to 0 at two steps
        const at::Tensor distance = (hue - centre).abs();
        const at::Tensor around = at::where(distance > 3, 6 - distance, distance);
        return 1 - saturation * (1 - (2 - around).clamp(0, 1));
    };
    return at::stack({channel(0), channel(2), channel(4)});
}

at::Tensor draw_flow(const at::Tensor& flow) {
    const at::Tensor speed = flow.square().sum(0).sqrt();
    const at::Tensor hue = at::atan2(flow[1], flow[0]).mul(3 / std::numbers::pi).remainder(6);
    return colour(hue, (speed / kFullColourSpeed).clamp_max(1));
}

at::Tensor draw_confidence(const at::Tensor& weight, float most_weight, const at::Tensor& still) {
    const at::Tensor grey = (weight / most_weight).clamp(0, 1);
    const at::Tensor dark = at::where(still, grey * 0.3, grey);
    return at::stack({dark, dark, grey});
}

at::Tensor enlarged(const at::Tensor& picture, const at::Tensor& like) {
    return at::upsample_nearest2d(picture.unsqueeze(0), {like.size(1), like.size(2)}).squeeze(0);
}

at::Tensor split(const at::Tensor& raw, const at::Tensor& locked) {
    at::Tensor picture = locked.clone();
    const std::int64_t half = locked.size(2) / 2;
    picture.narrow(2, 0, half).copy_(raw.narrow(2, 0, half));
    picture.narrow(2, half, 1).fill_(1);
    return picture;
}

}   // namespace

at::Tensor render_debug_view(DebugView view, const Motion& motion, const at::Tensor& weight, float most_weight,
                             const at::Tensor& raw, const at::Tensor& locked) {
    const c10::InferenceMode inference;
    if (view == DebugView::split) {
        return split(raw, locked);
    }
    if (motion.cut || !weight.defined()) {
        return at::zeros_like(locked);
    }
    return view == DebugView::flow ? enlarged(draw_flow(motion.flow), locked)
                                   : enlarged(draw_confidence(weight, most_weight, motion.still), locked);
}

}   // namespace millstream
