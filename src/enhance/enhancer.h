// Frames in, enhanced frames out, in order, with several requests in flight across frame borders.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "enhance/tiles.h"
#include "model/executor.h"

namespace millstream {

/// Feeds the tiles of successive frames to an executor. submit() blocks only when every request is busy; finished
/// frames come out of poll() and drain() in the order they went in. One thread at a time. A frame of one tile is handed
/// to the executor as it is (no copy); otherwise each tile is gathered once on the way in and scattered once on the way
/// out (counted).
class Enhancer {
public:
    struct Frame {
        std::int64_t index = 0;
        at::Tensor input;    ///< [3,h,w] float32
        at::Tensor output;   ///< [3,scale*h,scale*w] float32, supplied by the caller, filled here
    };

    /// `executor` must outlive the enhancer. `scale`: the network's.
    Enhancer(Executor& executor, std::vector<Tile> tiles, int scale);
    ~Enhancer();   ///< waits for what is in flight
    Enhancer(const Enhancer&) = delete;
    Enhancer& operator=(const Enhancer&) = delete;

    void submit(Frame frame);
    /// The oldest frame if all its tiles are done or can be waited for without idling a request, else nothing.
    std::optional<Frame> poll();
    /// The oldest frame, waited for; nothing when none is left.
    std::optional<Frame> drain();

    [[nodiscard]] std::int64_t copies() const { return copies_; }   ///< whole-frame equivalents of gather and scatter

private:
    struct Request;
    struct Pending;

    void run_tile(Pending& frame, const Tile& tile);
    void finish(std::size_t request);

    Executor& executor_;
    std::vector<Tile> tiles_;
    int scale_;
    std::int64_t copies_ = 0;
    std::deque<Pending> pending_;
    std::vector<Request> requests_;
    std::size_t next_request_ = 0;
};

}   // namespace millstream
