// Frames in, enhanced frames out, in order, with several requests in flight across frame borders.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "enhance/tiles.h"
#include "model/executor.h"

namespace millstream {

/// A frame on its way through the network.
struct EnhancerFrame {
    std::int64_t index = 0;   ///< the caller's; handed back as it is
    at::Tensor input;         ///< [3,h,w] float32, contiguous
    at::Tensor output;        ///< [3,scale*h,scale*w] float32, contiguous; supplied by the caller, filled here
};

/// Feeds the tiles of successive frames to an executor. One thread at a time.
/// A frame of one tile is handed to the executor as it is (no copy); otherwise each tile is gathered once on the way in
/// and scattered once on the way out (counted). Tiles finish in the order they were started, so the result does not
/// depend on timing.
class Enhancer {
public:
    /// `executor` must outlive the enhancer. `scale`: the network's. Frames of any size are cut by `layout`.
    Enhancer(Executor& executor, int scale, const TileLayout& layout);
    ~Enhancer();   ///< waits for what is in flight
    Enhancer(const Enhancer&) = delete;
    Enhancer& operator=(const Enhancer&) = delete;

    /// Starts the frame's tiles. Waits where every request is busy, oldest first. Throws what the executor throws.
    void submit(EnhancerFrame frame);
    /// The oldest frame, if it is complete.
    std::optional<EnhancerFrame> poll();
    /// The oldest frame, waited for; nothing when none is left.
    std::optional<EnhancerFrame> drain();

    [[nodiscard]] std::size_t frames_in_flight() const { return pending_.size(); }
    /// Frame copies made so far by gathering and scattering (a whole frame gathered and scattered counts 2).
    [[nodiscard]] double copies() const { return copies_; }

private:
    using Tiles = std::vector<Tile>;
    struct Pending {
        EnhancerFrame frame;
        const Tiles* tiles = nullptr;
        std::size_t open_tiles = 0;

        [[nodiscard]] bool whole() const { return tiles->size() == 1; }
    };
    struct Request {
        bool busy = false;
        const Tile* tile = nullptr;
        Pending* frame = nullptr;   // stable: a deque does not move its elements at push_back and pop_front
        at::Tensor input;           // [1,3,th,tw], kept between tiles
        at::Tensor output;          // [1,3,scale*th,scale*tw]
    };

    void start(Request& request, std::size_t slot, Pending& frame, const Tile& tile);
    void finish(Request& request, std::size_t slot);
    void scatter(const Request& request);
    const Tiles& tiles_of(const at::Tensor& input);
    [[nodiscard]] bool blended(const Pending& frame) const { return layout_.blend > 0 && !frame.whole(); }

    Executor& executor_;
    int scale_;
    TileLayout layout_;
    std::map<std::pair<int, int>, Tiles> tiles_;   // by the frame's width and height; stays where it is
    double copies_ = 0;
    std::deque<Pending> pending_;
    std::vector<Request> requests_;   // used round-robin
    std::size_t next_ = 0;
};

}   // namespace millstream
