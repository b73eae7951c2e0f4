// Watches what a run uses: a sample four times a second, the level it means, the curve of the run.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/thread.h"
#include "millstream/resources.h"
#include "resource/governor.h"
#include "resource/notices.h"
#include "resource/published.h"

namespace millstream {

/// Where a snapshot comes from; levels are the monitor's. Tests give their own.
using Figures = std::function<ResourceSnapshot()>;

/// Takes samples when it is told to, on one thread; the snapshot can be read from any.
class ResourceMonitor {
public:
    struct Settings {
        Thresholds thresholds;
        PlannedMemory planned;
    };
    /// `frames`: how many are finished; called with each sample. `notices` gets one warning each time a level is
    /// entered, and a word when all is normal again. All must outlive the monitor.
    ResourceMonitor(const Settings& settings, Figures figures, const std::atomic<std::int64_t>& frames,
                    Notices& notices);

    void sample();

    /// Any thread.
    [[nodiscard]] ResourceSnapshot latest() const { return latest_.get(); }
    /// The more severe of memory's and VRAM's. Any thread; costs one atomic load.
    [[nodiscard]] PressureLevel level() const { return level_.load(std::memory_order_relaxed); }

    /// The thread that samples, or any after it has ended.
    [[nodiscard]] const std::vector<CurvePoint>& curve() const { return curve_; }
    [[nodiscard]] std::uint64_t mean_rss() const;
    [[nodiscard]] std::optional<std::uint64_t> mean_vram() const;
    [[nodiscard]] std::optional<std::uint64_t> peak_vram() const { return peak_vram_; }

    static constexpr std::size_t kMostPoints = 512;   ///< of the curve; half of them when there are more

private:
    void judge(ResourceSnapshot& figures);
    void update(LevelSwitch& level, const Use& use, const std::string& what);
    void remember(const ResourceSnapshot& figures);

    Settings settings_;
    Figures figures_;
    const std::atomic<std::int64_t>& frames_;
    Notices& notices_;
    LevelSwitch memory_;
    LevelSwitch vram_;
    Published<ResourceSnapshot> latest_;
    std::atomic<PressureLevel> level_{PressureLevel::normal};
    std::vector<CurvePoint> curve_;
    std::int64_t samples_ = 0;
    std::int64_t samples_a_point_ = 1;
    CurvePoint gathering_;   // the point that the next samples_a_point_ samples make
    double last_point_s_ = 0;
    std::int64_t last_point_frames_;
    double rss_sum_ = 0;
    double vram_sum_ = 0;
    std::optional<std::uint64_t> peak_vram_;
};

/// Calls ResourceMonitor::sample() at once, every `interval` and once more at the end, on a thread of its own.
class Sampler {
public:
    static constexpr std::chrono::milliseconds kInterval{250};
    explicit Sampler(ResourceMonitor& monitor, std::chrono::milliseconds interval = kInterval);
    ~Sampler();
    Sampler(const Sampler&) = delete;
    Sampler& operator=(const Sampler&) = delete;

private:
    void work(std::chrono::milliseconds interval);

    ResourceMonitor& monitor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;   // protected by mutex_
    NamedThread thread_;   // last: started after the rest, joined before it goes
};

}   // namespace millstream
