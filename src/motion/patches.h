// Patches matched between two frames, as flow_reference.cpp's match_patches() has it for whole images.
#pragma once

#include "motion/image_rows.h"

namespace millstream {

/// The weighted sums that overlapping patches leave behind.
struct PatchSums {
    FlowRows flow;
    ImageRows weight;
    void reset(int first, int end, int width) {
        flow.reset(first, end, width);
        weight.reset(first, end, width);
        flow.x.fill(0);
        flow.y.fill(0);
        weight.fill(0);
    }
};

/// Rows of patches in an image of that height. Row i covers the pixel rows first_pixel_row(i) and seven more, some of
/// them outside the image.
int patch_rows(int height);
int first_pixel_row(int patch_row);

/// Matches one row of patches and adds what it finds to `sums`, which must have all the rows it covers. `now`,
/// `before`: whole images with their margin filled. `start`: a first flow, rows readable 8 values beyond either end,
/// with those of the covered rows that lie inside the image.
void match_patch_row(const ImageRows& now, const ImageRows& before, const FlowRows& start, int patch_row,
                     PatchSums& sums);

}   // namespace millstream
