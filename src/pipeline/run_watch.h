// Everything that looks on while a job runs: the sampler, the files, what is to be told to the observer.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "millstream/observer.h"
#include "millstream/report.h"
#include "pipeline/planner.h"
#include "resource/counted_files.h"
#include "resource/file_ledger.h"
#include "resource/monitor.h"
#include "resource/notices.h"

namespace millstream {

/// Where a run begins: before the job is planned, so that what planning takes is part of it. Starts a new peak of the
/// process's memory.
struct RunStart {
    RunStart();
    std::string utc;   ///< ISO 8601
    std::chrono::steady_clock::time_point time;
    double cpu_s;   ///< of the process
    FileLedger files;
};

/// Lives on the thread that called `enhance`, longer than the run. notices(), files() and monitor() may be used by any
/// thread of the run, the rest by the caller's only.
class RunWatch {
public:
    /// Files are to be written through file_calls(), which counts and hands on to `files`.
    /// `start` must outlive it.
    RunWatch(RunStart& start, const PreparedJob& job, FileCalls& files, Observer& observer);

    [[nodiscard]] Notices& notices() { return notices_; }
    [[nodiscard]] FileLedger& files() { return start_.files; }
    [[nodiscard]] FileCalls& file_calls() { return counted_; }
    [[nodiscard]] ResourceMonitor& monitor() { return monitor_; }

    /// Hands on what has been posted since the last call. Warnings are remembered for the report.
    void tick(std::int64_t frames_done);
    void speeds(double p50, double p99);
    /// Remembers it for the report and tells it as a warning (taken back: as a message). Any thread.
    void back_off(const BackOff& back_off);

    /// Ends the sampling and fills what is known of the run: figures, curve, files, warnings, versions, bottleneck.
    /// `report.stages` and the counts of frames and bytes must have been set where there are any.
    void fill(Report& report);
    /// The same for a run that has ended with `failure`.
    void fail(Report& report, const std::exception_ptr& failure);

private:
    using Clock = std::chrono::steady_clock;

    Observer& observer_;
    RunStart& start_;
    Clock::time_point planned_ = Clock::now();
    std::uint64_t peak_rss_before_;   // that measuring the network has made the kernel forget
    std::int64_t resumed_frames_;
    std::atomic<std::int64_t> frames_;
    double fps_p50_ = 0;
    double fps_p99_ = 0;
    std::vector<std::string> warnings_;
    std::mutex mutex_;
    std::vector<BackOff> back_offs_;   // protected by mutex_
    Notices notices_;
    CountedFiles counted_;
    ResourceMonitor monitor_;
    std::optional<Sampler> sampler_;   // last: reads all of the above
};

}   // namespace millstream
