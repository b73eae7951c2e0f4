#include "motion/motion_on_demand.h"

#include <c10/core/InferenceMode.h>

#include <cstdint>
#include <utility>

#include "motion/compensation.h"
#include "motion/compensation_rows.h"
#include "motion/filters.h"
#include "motion/flow_reference.h"
#include "motion/scene_cut.h"

namespace millstream {

bool MotionOnDemand::follows(const at::Tensor& input) {
    const c10::InferenceMode inference;
    at::Tensor now = on_device_ ? luma(input.unsqueeze(0)) : compensation::luma_plane(input);
    const bool follows = luma_.defined() && luma_.sizes() == now.sizes() && !is_scene_cut(now, luma_);
    before_ = std::exchange(luma_, std::move(now));   // last: what fails for lack of memory is done again
    return follows;
}

at::Tensor MotionOnDemand::flow() {
    const c10::InferenceMode inference;
    if (on_device_) {
        return compensation::without_small_moves(reference_flow(luma_, before_, quality_)).squeeze(0);
    }
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
