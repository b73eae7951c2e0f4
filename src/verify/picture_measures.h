// How much two pictures differ. Pure functions of luma planes of one size.
#pragma once

#include <cstdint>

#include "verify/luma_plane.h"

namespace millstream {

/// Mean squared difference, 0..1 scale.
double mean_squared_error(const LumaPlane& a, const LumaPlane& b);

/// -10 lg(mse), 100 at most (identical pictures).
double psnr_db(double mse);

/// Structural similarity (Wang et al. 2004) with its constants K1 = 0.01, K2 = 0.03, over windows of 8x8 samples every
/// 4 in both directions, all weighted alike; means over the windows. 1 for planes smaller than a window.
double structural_similarity(const LumaPlane& a, const LumaPlane& b);

/// Mean squared difference between a plane and itself after a 5x5 box: how much fine detail there is.
double detail_energy(const LumaPlane& plane);

/// How well `result` fits a neighbour of the source frame it belongs to.
struct NeighbourFit {
    std::int64_t moving = 0;   ///< samples that clearly differ between the two source frames
    double share = 0;   ///< where on the way from `own` (0) to `neighbour` (1) the result lies, over those samples
};

/// Projects result - own onto neighbour - own, where the latter is larger than kMovement. An unbiased result lies near
/// 0; one that belongs to the neighbour lies near 1; what removes noise or detail alone never gets past 0.5.
NeighbourFit neighbour_fit(const LumaPlane& result, const LumaPlane& own, const LumaPlane& neighbour);
inline constexpr float kMovement = 6.0F / 255;

/// Whether a new scene begins between two pictures: both their brightness histograms and the pictures themselves differ
/// (half the L1 distance of 32-bin histograms above 0.22, mean absolute difference above 0.10), each averaged over 8x8.
bool is_cut(const LumaPlane& before, const LumaPlane& after);

}   // namespace millstream
