// A frame put together: what is carried on from the last output, and what the network has computed. Note [Reuse].
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "enhance/reuse_plan.h"

namespace millstream {

/// Rows of blocks that are put together at a time on a device: each pixel takes many bytes meanwhile.
inline constexpr int kRowsTogether = 8;

/// Everything one frame is made of. Tensors are float32, contiguous, where the frames are; h, w: the input's size, k:
/// the scale.
struct TransferInputs {
    const ReusePlan& plan;                    ///< not whole
    const at::Tensor& input;                  ///< [3,h,w]
    const at::Tensor& last;                   ///< [3,k*h,k*w]: the output before
    const std::vector<at::Tensor>& results;   ///< the network's, an area each with its halo: [3,k*height,k*width]
};

/// Writes `output` [3,k*h,k*w]. Rows are shared out to Torch's threads; the result does not depend on their number.
void put_together(const TransferInputs& inputs, const ReuseSettings& settings, at::Tensor& output);
/// The same but for rounding, by tensor operations of any device, which are not waited for.
void put_together_there(const TransferInputs& inputs, const ReuseSettings& settings, at::Tensor& output);

/// Root mean square difference between `output` and what the network says, over the blocks of plan.check that are not
/// computed, in codes of 0..255. `result`: the network's for the check with its halo.
double check_error(const ReusePlan& plan, const ReuseSettings& settings, const at::Tensor& output,
                   const at::Tensor& result);
/// The same but for rounding, by tensor operations; one number is fetched.
double check_error_there(const ReusePlan& plan, const ReuseSettings& settings, const at::Tensor& output,
                         const at::Tensor& result, const TableWays& ways);

}   // namespace millstream
