// Whole-pixel search at the coarsest level, as flow_reference.cpp's coarse_search() has it.
#pragma once

#include <vector>

#include "motion/image_rows.h"

namespace millstream {

/// Owns its scratch memory.
class CoarseSearch {
public:
    /// `now`, `before`: whole images with their margin filled. Writes every row of `to`, which it resets to the image.
    void search(const ImageRows& now, const ImageRows& before, FlowRows& to);

private:
    void find_differences(const ImageRows& now, const ImageRows& before, int dx, int dy);
    void keep_cheaper(float dx, float dy, float penalty, FlowRows& to);

    ImageRows difference_;   // |now - before| for one displacement
    ImageRows across_;       // its sums of five side by side
    ImageRows cheapest_;
};

}   // namespace millstream
