// How fast a run is going and how long it will still take.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "millstream/observer.h"

namespace millstream {

/// How much there is to do. Frames where they are known, else seconds of video; 0 = unknown.
struct RunLength {
    std::int64_t frames = 0;
    double video_s = 0;
};

/// Fed with every finished frame, asked now and then. Holds a few kilobytes however long the run. One thread at a time.
/// Time comes from the caller, never backwards.
class SpeedMeter {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// `start`: when the run began; `recent`: the span of fps().
    SpeedMeter(RunLength length, Time start, std::chrono::milliseconds recent = std::chrono::seconds(5));

    /// `frames_done` in all, the last of which begins at `video_s` of the video. A resumed run counts the frames of the
    /// runs before as done: call once with them before the first frame; they count towards the fraction, not the speed.
    void frame_done(std::int64_t frames_done, double video_s, Time now);
    void resumed_at(std::int64_t frames_done, double video_s);

    /// Frames a second over the last seconds; 0 where none was finished in that time.
    [[nodiscard]] double fps(Time now) const;
    /// Frames a second since the start, loading and warming up included.
    [[nodiscard]] double fps_mean(Time now) const;
    /// The speed at or above which `share` (0..1) of the frames came, over windows of a few frames: frames come in
    /// bursts where the network has several in flight. 0 before two frames are done.
    [[nodiscard]] double fps_reached(double share) const;
    /// 0..1; 0 = unknown. 1 only when everything is done.
    [[nodiscard]] double fraction() const;
    /// Seconds to go at the speed of the latter half of the run (its start is slower, a scene may be). Nothing before
    /// two frames are done or when the length is unknown.
    [[nodiscard]] std::optional<double> eta_s(Time now) const;

    /// Sets frames_done, frames_total, fraction, fps, elapsed_s and eta_s; leaves the rest of `progress` alone.
    void fill(Progress& progress, Time now) const;

private:
    struct Point {
        Time time;
        std::int64_t frames;
        double work;   // frames, or seconds of video where the number of frames is unknown
    };

    [[nodiscard]] double total_work() const;
    void remember(const Point& point);

    RunLength length_;
    Time start_;
    std::chrono::milliseconds recent_;
    std::int64_t resumed_frames_ = 0;
    std::int64_t frames_ = 0;
    double work_ = 0;
    std::deque<Point> latest_;     // a hundred or so, spread over recent_
    std::vector<Point> history_;   // a few hundred, spread over the run from its first frame on
    std::int64_t history_step_ = 1;
    std::int64_t since_history_ = 0;
};

}   // namespace millstream
