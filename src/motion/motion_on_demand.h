// Scene cuts of every frame, and the flow of those that ask for it.
#pragma once

#include <ATen/core/Tensor.h>

#include "millstream/options.h"
#include "motion/cpu_flow.h"

namespace millstream {

/// Follows one video, frame by frame, where a flow is wanted now and then only: most of its cost is. One thread at a
/// time. Holds on to the luma of two frames.
class MotionOnDemand {
public:
    /// `on_device`: frames are not in the host's memory; everything is done by tensor operations.
    explicit MotionOnDemand(FlowQuality quality, bool on_device = false)
        : quality_(quality), on_device_(on_device), flow_(quality) {}

    /// Takes the next frame: [3,h,w] float32, contiguous. False: a cut, or nothing came before.
    bool follows(const at::Tensor& input);

    /// As Motion::flow, for the frame taken last, which must follow.
    at::Tensor flow();

    /// The next frame is a cut.
    void reset();

private:
    FlowQuality quality_;
    bool on_device_;
    CpuFlow flow_;
    at::Tensor luma_;     // [1,1,h,w]
    at::Tensor before_;   // likewise, of the frame before
};

}   // namespace millstream
