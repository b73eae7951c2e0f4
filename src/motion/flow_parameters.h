// The constants of the dense flow, shared by its two implementations, and what they were chosen by: end-point error on
// synthetic motion (slow and fast, clean, noisy and compressed), see docs/temporal.md.
#pragma once

#include <algorithm>
#include <cstdint>

#include "millstream/options.h"

namespace millstream::flow {

// Coarse search: sum of absolute differences over 5x5 pixels, every whole displacement up to kSearchRadius.
inline constexpr int kSearchRadius = 3;
inline constexpr int kSearchWindow = 5;
inline constexpr float kSearchPenalty = 1.5e-3F;     // a pixel away from the frame's dominant displacement
inline constexpr float kStandingStill = 1e-5F;       // of it a pixel: without any texture, nothing moves
inline constexpr float kLargestDifference = 0.08F;   // what one pixel may say about the dominant displacement

// Patches.
inline constexpr int kPatch = 8;
inline constexpr int kPatchStride = 4;
inline constexpr int kPatchSteps = 2;
inline constexpr float kLargestPatchStep = 1.5F;                  // pixels
inline constexpr float kLargestPatchMove = 0.75F * kPatch;        // pixels from where it started; further is astray
inline constexpr float kPatchDamping = kPatch * kPatch * 1e-4F;   // on the diagonal of the structure tensor
inline constexpr float kLeastPatchResidual = 1.0F / 255;          // weights of overlapping patches are 1 / residual

// Combined local-global refinement.
inline constexpr int kRefineWindow = 5;
inline constexpr float kSmoothness = 2e-3F;       // alpha; twice that at the coarsest level
inline constexpr float kRobustResidual = 0.02F;   // residuals beyond this count less
inline constexpr float kEdgeSharpness = 12.0F;    // smoothness falls by exp(-this * |luma step|) across an edge
inline constexpr float kLeastEdgeWeight = 1e-3F;
inline constexpr float kLargestRefinement = 1.0F;   // pixels a refinement
inline constexpr int kCoarsestRefinements = 4;
inline constexpr int kCoarsestIterations = 16;
inline constexpr int kCoarseIterations = 8;
inline constexpr int kFineIterations = 4;   // of the two finest levels

/// Levels of the pyramid of 2x2 means: down to about 18 pixels, four at most for frames up to 384 pixels.
inline int pyramid_levels(std::int64_t height, std::int64_t width) {
    const double shorter = static_cast<double>(std::min(height, width));
    const double longer = static_cast<double>(std::max(height, width));
    int levels = 1;
    while (levels < 6 && shorter / (1 << levels) >= 18 && (levels < 4 || longer / (1 << (levels - 1)) > 48)) {
        ++levels;
    }
    return levels;
}

/// The finest level that patches are matched at; level 0 is the frame itself.
inline int finest_patch_level(FlowQuality quality) {
    return quality == FlowQuality::full ? 0 : 1;
}

inline int iterations_at(int level) {
    return level <= 1 ? kFineIterations : kCoarseIterations;
}

}   // namespace millstream::flow
