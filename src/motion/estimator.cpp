#include "motion/estimator.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <cstring>
#include <utility>

#include "millstream/error.h"
#include "motion/filters.h"
#include "motion/flow_reference.h"
#include "motion/lighting.h"
#include "motion/scene_cut.h"

namespace millstream {
namespace {

void check(const at::Tensor& input) {
    if (input.dim() != 3 || input.size(0) != 3 || input.size(1) < 2 || input.size(2) < 2 ||
        input.scalar_type() != at::kFloat) {
        throw Error(ErrorKind::internal,
                    {"measuring motion", "", "the frame is not a float tensor of shape [3,h,w]", ""});
    }
}

}   // namespace

std::size_t Motion::bytes() const {
    std::size_t sum = 0;
    for (const at::Tensor* tensor : {&flow, &light, &warped, &residual, &difference, &noise, &valid, &still}) {
        sum += tensor->defined() ? tensor->nbytes() : 0;
    }
    return sum;
}

Motion MotionEstimator::next(const at::Tensor& input) {
    const c10::InferenceMode inference;
    check(input);
    const at::Tensor now = input.unsqueeze(0).contiguous();
    const at::Tensor now_luma = now.is_cpu() ? compensation::luma_plane(input.contiguous()) : luma(now);
    Motion motion;
    if (input_.defined() && input_.sizes() == now.sizes() && !is_scene_cut(now_luma, luma_)) {
        motion = now.is_cpu() ? follow_on_cpu(now, now_luma) : follow(now, now_luma);
    }
    input_ = now;
    luma_ = now_luma;
    return motion;
}

Motion MotionEstimator::follow(const at::Tensor& now, const at::Tensor& now_luma) const {
    const at::Tensor light = change_of_light(now_luma, luma_);
    const at::Tensor flow = reference_flow(now_luma, luma_ * light[0] + light[1], quality_);
    return reference_compensation(now, input_, flow, light);
}

// A frame that repeats the last one, as videos of a higher rate than their content do, needs no search.
Motion MotionEstimator::follow_on_cpu(const at::Tensor& now, const at::Tensor& now_luma) {
    const bool repeated = std::memcmp(now.const_data_ptr(), input_.const_data_ptr(), now.nbytes()) == 0;
    if (repeated) {
        return compensation_.compensate(now, input_, at::zeros({1, 2, now.size(2), now.size(3)}, now.options()),
                                        unchanged_light(now));
    }
    at::Tensor light = change_of_light(now_luma, luma_);
    at::Tensor flow = flow_.flow(now_luma, luma_ * light[0] + light[1]);
    return compensation_.compensate(now, input_, std::move(flow), std::move(light));
}

void MotionEstimator::reset() {
    input_.reset();
    luma_.reset();
}

}   // namespace millstream
