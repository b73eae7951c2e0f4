// How a caller watches a job.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "millstream/plan.h"
#include "millstream/resources.h"

namespace millstream {

enum class Severity { debug, info, warning, error };

/// A snapshot of a running job.
struct Progress {
    std::int64_t frames_done = 0;
    std::int64_t frames_total = 0;   ///< 0 = unknown
    double fraction = 0;             ///< 0..1; by frames, else by time stamps; 0 = unknown
    double fps = 0;                  ///< over the last seconds
    double elapsed_s = 0;
    std::optional<double> eta_s;
    std::uint64_t rss_bytes = 0;
    std::optional<std::uint64_t> vram_bytes;
    std::uint64_t output_bytes = 0;
    ResourceSnapshot resources;   ///< all figures of the last sample, a quarter of a second old at most
};

/// Receives what happens during a job. All calls come from the thread that called `enhance`, never while a lock is
/// held, and not concurrently. An exception thrown from a call ends the job and is rethrown by `enhance`.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void on_plan(const Plan& /*plan*/) {}
    virtual void on_progress(const Progress& /*progress*/) {}
    virtual void on_message(Severity /*severity*/, const std::string& /*text*/) {}
};

}   // namespace millstream
