// Tells the observer how far the job is.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "millstream/observer.h"
#include "pipeline/planner.h"
#include "pipeline/run_watch.h"
#include "pipeline/stages.h"
#include "resource/run_meter.h"

namespace millstream {

/// Lives on the thread that called `enhance`; reads what the encode stage and the sampler publish, and renews the
/// metrics file.
class ProgressReporter {
public:
    ProgressReporter(const PreparedJob& job, const EncodeProgress& encoded, RunWatch& watch, Observer& observer);
    /// Reports when kInterval has passed since the last report.
    void tick();
    /// Reports the final state.
    void finish();

private:
    static constexpr std::chrono::milliseconds kInterval{200};
    static constexpr std::chrono::seconds kMetricsInterval{5};
    using Clock = std::chrono::steady_clock;

    void report(Clock::time_point now, bool last);
    void renew_metrics(const Progress& progress);

    const EncodeProgress& encoded_;
    RunWatch& watch_;
    Observer& observer_;
    double seconds_per_tick_;   // of the source's time base
    std::int64_t start_pts_;
    SpeedMeter meter_;
    std::int64_t metered_frames_ = 0;
    Clock::time_point last_report_;
    std::filesystem::path metrics_file_;
    std::optional<Clock::time_point> last_metrics_;
    bool metrics_failed_ = false;   // which is said once
};

}   // namespace millstream
