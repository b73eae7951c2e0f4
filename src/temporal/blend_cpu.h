// The blend on a CPU: warp, clip, mix and copy in one pass over the rows of the output.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "temporal/blend_reference.h"

namespace millstream {

/// Does what reference_blend() does, within rounding: no more than a quarter of an 8-bit code apart. One thread at a
/// time calls it; rows are shared out to Torch's threads, and the result does not depend on their number. Owns its
/// scratch memory, which depends on the frame's size only.
class CpuBlend {
public:
    /// All tensors are contiguous and on the CPU; [H,W] is a whole multiple of [h,w].
    void blend(at::Tensor& frame, const BlendInputs& inputs);

    struct Job;   ///< one frame's pointers and sizes

private:
    void save_borders(const Job& job);
    void run_band(const Job& job, std::int64_t band);

    std::vector<float> borders_;   // a band's rows above and below as they were: [bands,2,3,W]
    std::vector<float> scratch_;   // of each thread
};

}   // namespace millstream
