// Dense backward optical flow on a CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "millstream/options.h"
#include "motion/coarse_search.h"
#include "motion/flow_band.h"
#include "motion/image_rows.h"

namespace millstream {

/// Does what reference_flow() does, the arithmetic in another order: on real pictures both differ by less than a
/// hundredth of a pixel in the mean. One thread at a time calls it; bands of rows are shared out to Torch's threads,
/// and the result does not depend on their number. Owns its scratch memory, about 24 bytes a pixel and 6 KiB a column
/// and thread, which depends on the frame's size only.
class CpuFlow {
public:
    explicit CpuFlow(FlowQuality quality) : quality_(quality) {}

    /// See reference_flow(). Both [1,1,h,w] float32, contiguous, on the CPU.
    at::Tensor flow(const at::Tensor& luma, const at::Tensor& previous);

private:
    struct PyramidLevel {
        ImageRows now;
        ImageRows before;
    };
    void build_pyramid(const at::Tensor& luma, const at::Tensor& previous);
    void start_at_coarsest();
    void run_level(int index, const FlowRows& coarse, FlowRows& to);

    FlowQuality quality_;
    std::vector<PyramidLevel> levels_;
    CoarseSearch search_;
    FlowRows flows_[2];             // of two levels, taking turns
    std::vector<FlowBand> bands_;   // one a thread
};

}   // namespace millstream
