// Two ways to run the same stages. Their output is bit-identical.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

#include "millstream/report.h"
#include "pipeline/stage.h"

namespace millstream {

/// A line of stages that share a thread: an item goes through all of them before the next one is taken.
struct StageGroup {
    std::vector<Stage*> stages;
    std::size_t queue_bytes = 0;   ///< bound of the queue in front of the group
};

/// Called now and then on the thread that called the runner; an exception from it ends the run.
using Tick = std::function<void()>;

/// The reference: one loop, no thread, no queue. Returns the time spent in the source and in each stage.
std::vector<StageTime> run_serial(Source& source, const std::vector<StageGroup>& groups, const Tick& tick);

/// A thread for the source and one for each group, joined by queues bounded in bytes. All threads have ended when it
/// returns or throws. `short_queues`, where it is given: while it is set each queue holds one item at most (looked at
/// before each tick). `at_failure`, likewise: gets the time spent so far before an exception leaves.
std::vector<StageTime> run_threaded(Source& source, const std::vector<StageGroup>& groups, const Tick& tick,
                                    const std::atomic<bool>* short_queues = nullptr,
                                    std::vector<StageTime>* at_failure = nullptr);

}   // namespace millstream
