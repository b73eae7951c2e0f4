// What the decision about a frame's blocks is made from. Note [Tables].
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

#include "enhance/blocks.h"
#include "millstream/options.h"

namespace millstream {

// Note [Tables]
// What becomes of a block is decided by one code (reuse_plan.cpp), from tables of a few numbers a block. Where frames
// are in the host's memory loops over rows fill them. Where they are on a device tensor operations do, and the tables
// are fetched: one a frame, and one more where motion is looked at, since the first says for which blocks that is;
// shares that follow from the first are sent back (Note [What shows] in shown_difference.h). The device has come to the
// frame by then, so that the second is a short wait. The two ways agree but for rounding.

/// Both ways of small tensors between the device that frames are on and the host's memory. Empty: frames are in the
/// host's memory.
struct TableWays {
    std::function<at::Tensor(const at::Tensor&)> fetch;
    std::function<at::Tensor(const at::Tensor&)> send;
    explicit operator bool() const { return fetch != nullptr; }
};

/// Where a block of the output comes from.
enum class BlockSource : std::uint8_t { computed, still, moved };

/// Of frames of one size: [3,h,w] float32, contiguous, where the frames are. One thread at a time.
class BlockMeasures {
public:
    virtual ~BlockMeasures() = default;

    /// How far a frame is from its base; as busy as the busier of them. Note [Tolerance] in reuse_plan.h.
    struct Still {
        BlockGrid<float> peak;   ///< in 0..1
        BlockGrid<float> busy;   ///< in codes of 0..255
    };
    /// The same with everything brought along by a flow in the blocks that are computed otherwise.
    struct Moved {
        BlockGrid<float> peak;     ///< in 0..1; means nothing for the other blocks
        BlockGrid<float> flow_x;   ///< in the middle of each block, in pixels
        BlockGrid<float> flow_y;
        at::Tensor before;   ///< both are nobody else's
        at::Tensor base;
    };

    /// Which cells of kCell pixels a side are not bit for bit the same.
    virtual CellCounts changed_cells(const at::Tensor& now, const at::Tensor& before) = 0;
    virtual Still still(const at::Tensor& now, const at::Tensor& base) = 0;
    /// Of the frame that still() was asked about last, with the same base. `flow`: [2,h,w].
    virtual Moved moved(const at::Tensor& now, const at::Tensor& before, const at::Tensor& base, const at::Tensor& flow,
                        const BlockGrid<BlockSource>& source) = 0;
    /// Writes `now` into `before` and `base` where blocks are computed. Returns `source` as a table of bytes on the
    /// device; undefined where there is none, or nothing but still blocks.
    virtual at::Tensor take_computed(const BlockGrid<BlockSource>& source, const at::Tensor& now, at::Tensor& before,
                                     at::Tensor& base) = 0;
    /// Note [What shows] in shown_difference.h.
    virtual at::Tensor seen(const at::Tensor& now, const at::Tensor& base, const BlockGrid<float>& busy) = 0;

    static constexpr int kCell = 8;
};

std::unique_ptr<BlockMeasures> make_block_measures(Size frame, const TableWays& ways);
/// The two of them. `ways` is not empty.
std::unique_ptr<BlockMeasures> measures_on_host(Size frame);
std::unique_ptr<BlockMeasures> measures_on_device(Size frame, const TableWays& ways);

/// A [rows,columns] table of bytes, of the device, as [rows * side, columns * side] of bool: where it says `which`.
/// Blocks at the edges are whole.
at::Tensor pixels_where(const at::Tensor& table, BlockSource which, std::int64_t side);

}   // namespace millstream
