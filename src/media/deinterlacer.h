// Interlaced frames -> whole pictures, by FFmpeg's bwdif.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "media/filter_graph.h"
#include "media/interlacing.h"

namespace millstream {

/// Holds back one frame: a picture is made of its neighbours' lines too. One thread at a time.
class Deinterlacer {
public:
    /// `settings.rate` is not none.
    Deinterlacer(const FilterInput& input, const Deinterlacing& settings, int threads);

    /// `frame` with pts set, and rising; `duration` in the same ticks, 0 = unknown.
    void push(av::Frame frame, std::int64_t duration);
    void end();

    /// A picture with pts and duration in ticks of the frames', or of half of them at field rate; nothing before more
    /// has been pushed.
    struct Deinterlaced {
        av::Frame frame;
        std::int64_t duration = 0;
    };
    std::optional<Deinterlaced> pull();

private:
    struct Timing {
        std::int64_t pts = 0;
        std::int64_t duration = 0;
    };

    FilterGraph graph_;
    bool fields_;
    std::deque<Timing> timings_;   // of the frames whose pictures have not come out
    bool second_field_ = false;    // of timings_.front() comes next
    std::int64_t last_step_ = 1;   // between the last two frames, in ticks
};

}   // namespace millstream
