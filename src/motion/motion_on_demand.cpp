#include "motion/motion_on_demand.h"

#include <c10/core/InferenceMode.h>

#include <cstdint>
#include <utility>

#include "motion/compensation.h"
#include "motion/compensation_rows.h"
#include "motion/scene_cut.h"

namespace millstream {

bool MotionOnDemand::follows(const at::Tensor& input) {
    const c10::InferenceMode inference;
    before_ = std::exchange(luma_, compensation::luma_plane(input));
    return before_.defined() && before_.sizes() == luma_.sizes() && !is_scene_cut(luma_, before_);
}

at::Tensor MotionOnDemand::flow() {
    const c10::InferenceMode inference;
    at::Tensor flow = flow_.flow(luma_, before_).squeeze(0);
    const std::int64_t plane = flow.size(1) * flow.size(2);
    auto* x = flow.mutable_data_ptr<float>();
    compensation::rest(x, x + plane, plane);
    return flow;
}

void MotionOnDemand::reset() {
    luma_.reset();
    before_.reset();
}

}   // namespace millstream
