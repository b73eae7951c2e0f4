#include "verify/frame_order.h"

#include <algorithm>
#include <string>

#include "verify/picture_measures.h"
#include "verify/words.h"

namespace millstream {
namespace {

// Note [Fits a neighbour better]
// The result is projected onto the way from its own source frame (0) to a neighbour (1). Past 0.5 it is nearer to the
// neighbour. A filter that smooths, even one that leaves nothing but the mean of both, gets to 0.5 and no farther, so
// that the threshold lies clearly above. Only samples that move count, and there must be enough of them: in still
// scenes nothing can be told, and nothing is said.
constexpr double kNearNeighbour = 0.75;
constexpr std::int64_t kLeastMoving = 32;
constexpr double kLeastMovingShare = 0.002;

struct Candidate {
    int step = 0;
    double share = 0;
};

Candidate consider(const FrameNeighbourhood& frames, const LumaPlane* neighbour, int step) {
    if (neighbour == nullptr) {
        return {};
    }
    const NeighbourFit fit = neighbour_fit(*frames.result, *frames.own, *neighbour);
    const auto least = std::max<std::int64_t>(
        kLeastMoving, static_cast<std::int64_t>(kLeastMovingShare * static_cast<double>(frames.own->samples.size())));
    const bool clear = fit.moving >= least && fit.share > kNearNeighbour;
    return clear ? Candidate{step, fit.share} : Candidate{};
}

}   // namespace

void FrameOrder::add(const FrameNeighbourhood& frames) {
    findings_.compared(CheckKind::frame_order);
    const Candidate before = consider(frames, frames.before, -1);
    const Candidate after = consider(frames, frames.after, 1);
    const Candidate found = after.share > before.share ? after : before;
    const bool goes_on = run_ && run_->step == found.step && run_->last + 1 == frames.frame;
    if (goes_on) {
        run_->last = frames.frame;
        return;
    }
    finish();
    if (found.step != 0) {
        run_ = Run{found.step, frames.frame, frames.frame, frames.time_s, found.share};
    }
}

void FrameOrder::finish() {
    if (!run_) {
        return;
    }
    const std::int64_t count = run_->last - run_->first + 1;
    const char* const which = run_->step < 0 ? "the frame before" : "the frame after";
    std::string place = frame_words(run_->first, run_->time_s);
    std::string shows = std::string("shows ") + which + " it, " + std::to_string(run_->first + run_->step) +
                        " (fits by " + fixed(std::min(run_->share, 1.0) * 100, 0) + " %)";
    if (count > 1) {
        place = "frames " + std::to_string(run_->first) + " to " + std::to_string(run_->last) + " (from " +
                fixed(run_->time_s, 3) + " s)";
        shows = std::string("each shows ") + which + " its own: shifted";
    }
    findings_.differ(CheckKind::frame_order, {place, "the same frame", shows}, count);
    run_.reset();
}

}   // namespace millstream
