// Reduced precision (bf16, fp16): which layers stay in fp32 all the same.
#pragma once

#include <vector>

#include "model/network.h"

namespace millstream {

/// Layers of a lowered network that are computed in fp32 whatever the precision asked for: those that read the picture
/// itself, and the end of the network: what lies behind the last convolution, and this one too, with 1x1 convolutions
/// right before it, unless the network only computes a difference to the picture. There a picture's own values, not a
/// network's features, would be rounded to 8 bits of mantissa: half a code value, and the whole picture's brightness
/// shifts: Note [Brightness]. They are 1 to 4 % of the work.
std::vector<bool> layers_in_fp32(const Network& lowered);

}   // namespace millstream
