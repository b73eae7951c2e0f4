// Frames in, Motion out.
#pragma once

#include <ATen/core/Tensor.h>

#include "millstream/options.h"
#include "motion/compensation.h"
#include "motion/cpu_flow.h"
#include "motion/motion.h"

namespace millstream {

/// Follows one video, frame by frame. One thread at a time. Holds on to the last input (a reference, not a copy: the
/// caller must not write to it any more) and to its luma.
class MotionEstimator {
public:
    explicit MotionEstimator(FlowQuality quality) : quality_(quality), flow_(quality) {}

    /// How `input` follows from the input before. `input`: [3,h,w] float32, R G B, 0..1 nominal, h and w at least 2,
    /// any device. Throws Error(internal) for a tensor of another kind.
    Motion next(const at::Tensor& input);

    /// Forgets the last frame: the next one is a cut.
    void reset();

private:
    [[nodiscard]] Motion follow(const at::Tensor& now, const at::Tensor& now_luma) const;
    Motion follow_on_cpu(const at::Tensor& now, const at::Tensor& now_luma);

    FlowQuality quality_;
    CpuFlow flow_;
    CpuCompensation compensation_;
    at::Tensor input_;   // [1,3,h,w]
    at::Tensor luma_;    // [1,1,h,w]
};

}   // namespace millstream
