#include "resource/run_meter.h"

#include <algorithm>

namespace millstream {
namespace {

constexpr std::size_t kHistory = 256;
constexpr int kLatest = 128;

double seconds(SpeedMeter::Time from, SpeedMeter::Time to) {
    return std::chrono::duration<double>(to - from).count();
}

}   // namespace

SpeedMeter::SpeedMeter(RunLength length, Time start, std::chrono::milliseconds recent)
    : length_(length), start_(start), recent_(recent) {
    latest_.push_back({start, 0, 0});
}

void SpeedMeter::resumed_at(std::int64_t frames_done, double video_s) {
    resumed_frames_ = frames_ = frames_done;
    work_ = length_.frames > 0 ? static_cast<double>(frames_done) : video_s;
    latest_.assign(1, {start_, frames_, work_});
}

void SpeedMeter::frame_done(std::int64_t frames_done, double video_s, Time now) {
    frames_ = frames_done;
    work_ = length_.frames > 0 ? static_cast<double>(frames_done) : video_s;
    remember({now, frames_, work_});
}

void SpeedMeter::remember(const Point& point) {
    // One point older than the window stays: the window begins between it and the next.
    while (latest_.size() > 1 && latest_[1].time <= point.time - recent_) {
        latest_.pop_front();
    }
    // The newest point always stays, in place of the one before where they are too close.
    if (latest_.size() > 1 && point.time - latest_[latest_.size() - 2].time < recent_ / kLatest) {
        latest_.back() = point;
    } else {
        latest_.push_back(point);
    }
    if (since_history_++ % history_step_ == 0) {
        history_.push_back(point);
    }
    if (history_.size() > kHistory) {   // every other point from now on
        for (std::size_t i = 0; 2 * i < history_.size(); ++i) {
            history_[i] = history_[2 * i];
        }
        history_.resize((history_.size() + 1) / 2);
        history_step_ *= 2;
    }
}

double SpeedMeter::fps(Time now) const {
    const auto later = std::find_if(latest_.begin() + 1, latest_.end(),
                                    [&](const Point& point) { return point.time > now - recent_; });
    const Point& from = *(later - 1);
    const double elapsed = seconds(from.time, now);
    return elapsed > 0 ? static_cast<double>(frames_ - from.frames) / elapsed : 0;
}

double SpeedMeter::fps_mean(Time now) const {
    const double elapsed = seconds(start_, now);
    return elapsed > 0 ? static_cast<double>(frames_ - resumed_frames_) / elapsed : 0;
}

double SpeedMeter::fps_reached(double share) const {
    constexpr std::int64_t kWindowFrames = 8;
    struct Window {
        double fps;
        std::int64_t frames;
    };
    std::vector<Window> windows;
    std::int64_t all = 0;
    for (std::size_t begin = 0, i = 1; i < history_.size(); ++i) {
        const std::int64_t frames = history_[i].frames - history_[begin].frames;
        const double elapsed = seconds(history_[begin].time, history_[i].time);
        const bool last = i + 1 == history_.size();
        if (elapsed > 0 && (frames >= kWindowFrames || (last && frames > 0))) {
            windows.push_back({static_cast<double>(frames) / elapsed, frames});
            all += frames;
            begin = i;
        }
    }
    std::sort(windows.begin(), windows.end(), [](const Window& a, const Window& b) { return a.fps > b.fps; });
    double reached = 0;
    for (const Window& window : windows) {
        reached += static_cast<double>(window.frames);
        if (reached >= share * static_cast<double>(all)) {
            return window.fps;
        }
    }
    return 0;
}

double SpeedMeter::total_work() const {
    return length_.frames > 0 ? static_cast<double>(length_.frames) : length_.video_s;
}

double SpeedMeter::fraction() const {
    return total_work() > 0 ? std::clamp(work_ / total_work(), 0.0, 1.0) : 0;
}

std::optional<double> SpeedMeter::eta_s(Time now) const {
    if (total_work() <= 0 || history_.empty()) {
        return std::nullopt;
    }
    const double halfway = (history_.front().work + work_) / 2;
    const auto later =
        std::find_if(history_.begin() + 1, history_.end(), [&](const Point& point) { return point.work > halfway; });
    const Point& from = *(later - 1);
    const double elapsed = seconds(from.time, now);
    if (work_ <= from.work || elapsed <= 0) {
        return std::nullopt;
    }
    return std::max(0.0, total_work() - work_) * elapsed / (work_ - from.work);
}

void SpeedMeter::fill(Progress& progress, Time now) const {
    progress.frames_done = frames_;
    progress.frames_total = length_.frames;
    progress.fraction = fraction();
    progress.fps = fps(now);
    progress.elapsed_s = seconds(start_, now);
    progress.eta_s = eta_s(now);
}

}   // namespace millstream
