// The end of networks that enlarge too far and shrink again, computed at the size that is kept.
#pragma once

#include <optional>
#include <vector>

#include "model/network.h"

namespace millstream {

/// Note [Fused end]
/// animevideov3 x2 ends in: convolution to 48 channels, pixel_shuffle to x4, the picture repeated to x4 added, bicubic
/// half of it. Behind the convolution everything is linear and the same for every input pixel, so that it is one
/// convolution of the features with a kernel two wider, plus one of the picture, and a pixel_shuffle to x2: nothing of
/// four times the size is ever written. The picture's outermost pixels are the exception: there the enlarged picture is
/// continued by its edge, and the features by zero. They are computed layer by layer, from strips along the edges.
/// Same result but for rounding. A job of 16 frames of 640x360, fp32, two processors, the median of three: 34.8 to 32.4
/// s of processor time (one of them the plan's, which became quicker in the same step), 680 to 635 MiB.
struct FusedEnd {
    int features = 0;            ///< node that `of_features` reads
    int picture = 0;             ///< node that `of_picture` reads
    std::vector<int> replaced;   ///< layers that the edges still need, in order; the last is the network's output
    Node of_features;            ///< both without the outermost input pixels: an output one pixel less on each side
    Node of_picture;
    int factor = 1;   ///< of the pixel_shuffle of their sum
    int strip = 0;    ///< input pixels from the edge inwards that the outermost one depends on
};

/// Nothing where the network ends otherwise.
std::optional<FusedEnd> fused_end(const Network& lowered);

}   // namespace millstream
