// Which parts of a frame the network runs on, and where the rest comes from. Note [Reuse].
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "enhance/block_measures.h"
#include "enhance/blocks.h"
#include "millstream/options.h"
#include "model/network.h"
#include "motion/motion.h"

namespace millstream {

// Note [Reuse]
// What the network made of a block is carried on as long as the input there is nearly what it was made of:
//
//     output = last output, at the place the block was   +   bicubic enlargement of (seen - last seen, likewise)
//
// `base` is what the network saw when it last ran on the block, brought along with it, and `seen` is base + what of
// input - base the network would let show: Note [What shows]. What is added in one frame is taken away in the next, so
// that nothing adds up: a block that stays is what the network made of it and what shows now, however many frames lie
// between. Whether a block may be reused is judged by input - base itself. So slow changes add up until the block is
// computed again, and noise does not. A block may come
// from the same place (still), or from where the flow says (moved); a moved one loses a little sharpness with every
// step and lives shorter. The network runs on rectangles that cover the other blocks, each with `halo` pixels around;
// over `fade` of them the two results are mixed, so that no edge shows.
//
// Everything starts anew with a whole frame: at the first one, at cuts, and where the pipeline says so (Note [Restart
// by rule] in pipeline/chunks.h). With Reuse::exact a block is kept only where every pixel that can have a say in it is
// bit for bit what it was, and nothing is added or mixed.

// Note [Tolerance]
// What reuse costs in likeness, measured with the default network on 41,000 blocks of six clips that stay and 23,000
// of five that moved: the mean square error of a block against the network's own output grows with the square of its
// peak (the largest mean difference to its base over 8x8 pixels, in codes), and with how busy it is (mean step from
// pixel to pixel, across plus down, in codes, of the input or of the base, whichever is more): about
//
//     stays: peak^2 * (0.02 + 0.03 * busy)        moved: peak^2 * (0.15 + 0.025 * busy)
//
// So a flat block may differ by 10 codes where one full of edges may by 2. A preset bounds the error that is expected.

// Note [Halo]
// Likeness of the inner 32x32 pixels of a rectangle to the whole frame, in dB, by the pixels around them that the
// network is given too (one photographic frame, fp32):
//
//                        4     6     8     12    16
//     animevideov3 x2   55.5  59.8  63.5  74.8  96.2
//     animevideov3 x4   55.1  59.3  63.1  74.2  95.3
//     span x2           73.4  77.3  83.8  96.4  118
//     x4plus            43.8  44.7  45.7  48.6  50.1

/// How much may be reused. Errors are in codes of 0..255.
struct ReuseSettings {
    bool exact = false;
    bool only_repeats = false;   ///< exact: a frame is kept as a whole or not at all
    float still_error = 0;       ///< largest expected mean square error of a block that stays: Note [Tolerance]
    float moved_error = 0;       ///< the same for a block that moved
    int still_age = 0;           ///< frames, at most, with any change at all
    int moved_steps = 0;         ///< moves, at most
    int halo = 0;                ///< input pixels
    int fade = 0;                ///< input pixels, less than halo
    int reach = 0;               ///< exact: how far the network sees
    double worth = 0.85;         ///< share of the frame; where more would be computed, all is
    double flow_cost = 0;        ///< of a search for motion, as a share of the network's work on a frame
    int check_every = 0;         ///< frames; 0 = never
    float check_most = 0;        ///< root mean square error of a checked area from which thresholds tighten
};

/// `reuse` is not off. `tiles_exact`: the frame is not cut into tiles whose seams would show. `precision`: what the
/// network runs in, which decides what a search for motion is worth.
ReuseSettings reuse_settings(Reuse reuse, const Network& network, bool tiles_exact, Precision precision);

/// One frame's. A value; tensors are shared and not written to any more.
struct ReusePlan {
    bool whole = true;              ///< the network runs on the frame as if there were no reuse; the rest is empty
    std::vector<Rectangle> areas;   ///< in blocks: what is computed
    BlockGrid<BlockSource> source;
    at::Tensor added;                 ///< [3,h,w]: seen - last seen; undefined with ReuseSettings::exact
    at::Tensor flow;                  ///< [2,h,w]; defined where a block moved
    at::Tensor source_there;          ///< [rows,columns] bytes: `source` on the device, where a block moved
    std::optional<Rectangle> check;   ///< in blocks: also computed, and compared only
};

/// Finds Motion::flow of the frame in hand.
using FindFlow = std::function<at::Tensor()>;

// Note [Pauses]
// Where a camera moves or grain dances the search for motion finds little, and costs as much as ever. After one that
// took away less than it cost, one frame goes without, after the next such two, then four, up to kLongestPause: noise
// then pays for a search every seventeen frames. One that was worth it ends that. A restart forgets it, so that what
// is decided follows from the frames since then alone.

/// Follows one video, frame by frame; one thread at a time. Depends on the inputs alone, and on what checks found,
/// which the caller says at a fixed place in the order of frames.
class ReusePlanner {
public:
    /// `ways`: inputs are on a device. Empty: they are in the host's memory.
    ReusePlanner(const ReuseSettings& settings, Size frame, const TableWays& ways = {})
        : settings_(settings), frame_(frame), measures_(make_block_measures(frame, ways)) {}

    /// `input`: [3,h,w] float32, contiguous; not written to any more while this lives. `motion`: with a flow
    /// or without one; then `find_flow` is asked where it could pay. `restart`: the frame is computed as a whole and
    /// nothing from before it counts.
    ReusePlan next(std::int64_t index, const at::Tensor& input, const Motion& motion, bool restart,
                   const FindFlow& find_flow = {});

    /// Error of a checked area, as of ReuseSettings::check_most. True: thresholds are stricter now.
    bool checked(double error);

    /// The next frame is computed as a whole.
    void reset();

    /// Input pixels that the network runs on for `plan`, the check not counted.
    [[nodiscard]] std::int64_t computed_pixels(const ReusePlan& plan) const;
    [[nodiscard]] const ReuseSettings& settings() const { return settings_; }
    [[nodiscard]] Size frame() const { return frame_; }

private:
    ReusePlan start(const at::Tensor& input);
    ReusePlan plan_exact(const at::Tensor& input);
    void judge_still(const at::Tensor& input, ReusePlan& plan);
    void judge_moved(const at::Tensor& input, ReusePlan& plan);
    bool may_search(double needed);
    void judge_search(double saved);
    void choose_areas(ReusePlan& plan);
    void choose_check(std::int64_t index, ReusePlan& plan) const;
    void remember(const at::Tensor& input, ReusePlan& plan);
    [[nodiscard]] double share_needed(const ReusePlan& plan) const;

    ReuseSettings settings_;
    Size frame_;
    std::unique_ptr<BlockMeasures> measures_;
    float strictness_ = 1;           // thresholds are multiplied by it
    int pause_ = 0;                  // frames after the next search in vain: Note [Pauses]
    int paused_ = 0;                 // frames to go without a search
    at::Tensor before_;              // what was seen of the last input (exact: all of it); undefined: nothing to reuse
    at::Tensor base_;                // Note [Reuse]
    at::Tensor moved_base_;          // of the frame in hand, where a flow was looked at
    at::Tensor moved_before_;        // likewise
    BlockGrid<std::uint16_t> age_;   // frames since a block was computed, where anything has changed
    BlockGrid<std::uint16_t> steps_;   // moves since then
    BlockGrid<float> busy_;            // of the frame in hand: Note [Tolerance]
    BlockGrid<float> peak_;            // likewise
};

}   // namespace millstream
