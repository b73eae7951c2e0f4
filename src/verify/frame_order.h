// Frames that show another moment than their time says.
#pragma once

#include <cstdint>
#include <optional>

#include "verify/findings.h"
#include "verify/luma_plane.h"

namespace millstream {

/// Small planes of a frame of the source, of its neighbours, and of the result's frame for it.
struct FrameNeighbourhood {
    std::int64_t frame = 0;
    double time_s = 0;
    const LumaPlane* result = nullptr;
    const LumaPlane* own = nullptr;
    const LumaPlane* before = nullptr;   ///< nullptr at the ends
    const LumaPlane* after = nullptr;
};

/// Reports frames that fit a neighbour clearly better than their own source frame; neighbouring frames that are off by
/// the same step are one place (swapped: two places; repeated: one; shifted: a long one). Frames in order.
class FrameOrder {
public:
    explicit FrameOrder(Findings& findings) : findings_(findings) {}
    void add(const FrameNeighbourhood& frames);
    void finish();   ///< after the last frame

private:
    struct Run {
        int step = 0;   // -1: shows the frame before, 1: the one after
        std::int64_t first = 0;
        std::int64_t last = 0;
        double time_s = 0;
        double share = 0;   // of the first
    };
    Findings& findings_;
    std::optional<Run> run_;
};

}   // namespace millstream
