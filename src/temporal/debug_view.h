// What the lock sees and does, as a picture.
#pragma once

#include <ATen/core/Tensor.h>

#include "millstream/options.h"
#include "motion/motion.h"

namespace millstream {

/// Draws one frame's view. `weight`: TemporalLock::weight(). `raw`: the network's output before the lock (split only);
/// `locked`: after it, [3,H,W]. Returns a new [3,H,W] float32 tensor, contiguous.
///   flow        direction as hue, speed as saturation (white: none, full colour: 8 input pixels a frame and more)
///   confidence  weight of history: black none, white the preset's most; blue where the last output is copied
///   split       left half without the lock, right half with it
/// Frames without a predecessor are black in the first two.
at::Tensor render_debug_view(DebugView view, const Motion& motion, const at::Tensor& weight, float most_weight,
                             const at::Tensor& raw, const at::Tensor& locked);

}   // namespace millstream
