// Frames in, enhanced frames out, in order, where only what changed is computed. Note [Reuse] in reuse_plan.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "enhance/reuse_plan.h"
#include "enhance/steady_enhancer.h"
#include "enhance/transfer.h"
#include "motion/motion.h"

namespace millstream {

/// What reuse has done so far.
struct ReuseCounts {
    std::int64_t frames = 0;
    std::int64_t whole_frames = 0;
    double computed_frames = 0;   ///< pixels that the network ran on, in frames: halos and checks included
    std::int64_t checks = 0;
    double check_errors = 0;   ///< their sum, as of check_error()
    double worst_error = 0;
    std::int64_t tightened = 0;
};

/// Decides about each frame, hands what is to be computed to a SteadyEnhancer, and puts the output together. Without
/// settings every frame goes straight through. Decisions are made when frames come, so that the network has work of
/// several frames at hand; outputs are put together in order. One thread at a time.
class ReuseEnhancer {
public:
    struct Settings {
        std::optional<ReuseSettings> reuse;   ///< nothing: off
        Size frame;                           ///< input pixels
        int threads = 1;                      ///< CPU threads for putting frames together
        /// With `reuse`: a whole frame is handed over in so many strips, each with ReuseSettings::reach around, so that
        /// requests can share it. The same bit for bit (fp32).
        int strips = 1;
        TableWays ways = {};   ///< as of ReusePlanner
    };
    /// `network` must outlive this, and is used by nobody else. `make_output` makes a whole output frame.
    ReuseEnhancer(Settings settings, SteadyEnhancer& network, std::function<at::Tensor()> make_output);

    /// As of SteadyEnhancer::submit. `motion`: how `input` follows from the last; `restart`: nothing before this frame
    /// may count. `find_flow`: as of ReusePlanner::next.
    void submit(std::int64_t index, at::Tensor input, const Motion& motion = {}, bool restart = true,
                const FindFlow& find_flow = {});
    std::optional<EnhancerFrame> poll();
    std::optional<EnhancerFrame> drain();
    /// The next frame is computed as a whole.
    void reset();
    /// Forgets what is in flight, too: SteadyEnhancer::drop.
    void drop();

    [[nodiscard]] std::size_t frames_in_flight() const { return pending_.size() + done_.size(); }
    [[nodiscard]] const ReuseCounts& counts() const { return counts_; }
    /// Frame copies made by cutting out what is computed.
    [[nodiscard]] double copies() const { return copies_; }

private:
    struct Pending {
        std::int64_t index = 0;
        at::Tensor input;
        ReusePlan plan;
        std::size_t open = 0;              // results that are still to come
        std::vector<at::Tensor> results;   // one of a whole frame, or one an area and the check's
    };
    void submit_areas(Pending& frame);
    [[nodiscard]] at::Tensor joined_strips(const std::vector<at::Tensor>& results) const;
    void submit_area(const Pending& frame, const Rectangle& pixels);
    void take(EnhancerFrame result);
    void finish_complete();
    void finish(Pending& frame);
    void put_together(const Pending& frame, at::Tensor& output);
    void check(const Pending& frame, const at::Tensor& output);
    void finish_checks();
    void count(const ReusePlan& plan);

    Settings settings_;
    SteadyEnhancer& network_;
    std::function<at::Tensor()> make_output_;
    std::optional<ReusePlanner> planner_;
    std::vector<Rectangle> strips_;   // in pixels, without what is around; none: whole frames stay whole
    std::deque<Pending> pending_;
    std::deque<EnhancerFrame> done_;
    at::Tensor last_;   // the output before, as the network and we left it
    ReuseCounts counts_;
    double copies_ = 0;
};

/// Slots for areas that wait, beside each request: areas differ in size, and a thread that is done should find the
/// next. The last ones of a frame are its smallest, and must last until the next frame is decided. Cores of 2 kept busy
/// by 48 frames of chaplin: 1.83 with 3, 1.91 with 10, 1.93 with 24 (without reuse: 1.93), in the same memory: what
/// bounds that is the number of frames in flight.
inline constexpr int kWaitingAreas = 24;

/// Bytes of a device that reuse works in, beside the tensors of frames; `frame` in input pixels.
std::uint64_t reuse_work_there(Size frame, int scale);

/// Strips that are worth it: as many as requests, where each is clearly higher than what is computed around it.
int strips_for(int requests, Size frame, int reach);

}   // namespace millstream
