// One level of the flow, one band of rows at a time.
#pragma once

#include <array>

#include "motion/image_rows.h"
#include "motion/patches.h"
#include "motion/refine_rows.h"

namespace millstream {

/// Note [Bands]
/// Everything a level does to a row depends on a few rows around it: patches, the window of the data term, one row more
/// an iteration, the median. So a band of rows is taken through all of it in one go, with those rows computed again on
/// either side: nothing is shared between bands but the images, one parallel region serves a level, and what is worked
/// on is a band, not a frame. The result does not depend on how a frame is cut.
///
/// A band's work space. One thread at a time.
class FlowBand {
public:
    struct Level {
        const ImageRows& now;      ///< whole image with its margin filled
        const ImageRows& before;   ///< likewise
        int iterations;
        float smoothness;
        bool match_patches;
        bool end_with_median;
    };

    /// Improves a flow of the level's own size.
    void refine(const Level& level, const FlowRows& start, int first, int end, FlowRows& to);
    /// Improves a flow of half the size. Both write rows [first, end) of `to`, with margin of one.
    void refine_doubled(const Level& level, const FlowRows& coarse, int first, int end, FlowRows& to);

private:
    struct Range {
        int first;
        int end;
    };
    // Rows within the image that the band needs at each step, from the last to the first.
    struct Needs {
        Range changed;   // by the refinement
        Range systems;
        Range start;
        Range patches;   // rows of patches
        Range guess;     // of patches
    };
    [[nodiscard]] static Needs needs(const Level& level, int first, int end);

    void match(const Level& level, const Needs& needs);
    void solve(const Level& level, const Needs& needs);
    void find_likeness(const Level& level, Range rows);
    void find_systems(const Level& level, Range rows);
    void iterate(const Level& level, const Needs& needs);
    void finish(const Level& level, Range rows, FlowRows& to);
    [[nodiscard]] refinement::LikenessRows likeness(int y) const;
    [[nodiscard]] refinement::SystemRows system(int y);

    FlowRows guess_;
    FlowRows start_;
    PatchSums sums_;
    ImageRows across_;
    ImageRows down_;   // of a row and the one below it
    std::array<ImageRows, 5> data_;
    std::array<ImageRows, 5> system_;
    std::array<FlowRows, 2> state_;   // of the iteration, taking turns
    FlowRows* solved_ = nullptr;      // the one that holds the result
    ImageRows line_;
};

}   // namespace millstream
