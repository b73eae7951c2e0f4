// The rows of the local-global refinement, as flow_reference.cpp's refine() has it for whole images. Loops over pixels
// that the compiler vectorises; none allocates. Rows are `width` values, readable one beyond either end.
#pragma once

#include <array>

#include "motion/image_rows.h"

namespace millstream::refinement {

/// How much each pixel and its right neighbour have to do with each other, from x = -1 to width - 1.
void likeness_across(const float* row, int width, float* to);
/// How much each pixel and the one below it have to do with each other.
void likeness_down(const float* row, const float* below, int width, float* to);

/// xx, xy, yy, x, y: products of the slopes and of slope and residual, weighted by trust.
using DataRows = std::array<float*, 5>;

/// The data of row `y`: `now` and `before` are whole images with margin, `flow_x` and `flow_y` the row's flow.
void data_row(const ImageRows& now, const ImageRows& before, int y, const float* flow_x, const float* flow_y,
              const DataRows& to);

/// Sums of five values side by side, of rows readable two beyond either end.
void sum_of_five(const float* row, int width, float* to);
/// Adds up five rows.
void sum_of_rows(const std::array<const float*, 5>& rows, int width, float* to);

/// One row's linear system, solved for the middle of an iteration: next = constant + matrix * (weighted neighbours).
struct SystemRows {
    float* xx;
    float* xy;
    float* yy;
    float* constant_x;
    float* constant_y;
};

/// Likeness to the left and right (`across`, from x = -1), above and below.
struct LikenessRows {
    const float* across;
    const float* above;
    const float* below;
};

/// `sums`: the data summed over the window.
void system_row(const DataRows& sums, const LikenessRows& likeness, const float* flow_x, const float* flow_y,
                float smoothness, int width, const SystemRows& to);

/// One Jacobi iteration of a row, of x or y at once.
struct FlowRow {
    const float* x;
    const float* y;
};
void iterate_row(const SystemRows& system, const LikenessRows& likeness, const FlowRow& above, const FlowRow& row,
                 const FlowRow& below, int width, float* to_x, float* to_y);

/// `to` = start + what `end` differs from it, at most kLargestRefinement.
void limit_row(const float* start, const float* end, int width, float* to);

}   // namespace millstream::refinement
