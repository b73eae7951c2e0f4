// What a report says beyond its counters. Pure functions.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "enhance/reuse_enhancer.h"
#include "millstream/report.h"

namespace millstream {

/// The busiest stage, in words with what the decoder and the encoder did meanwhile. `stages` in the order frames pass
/// them. Nothing where nothing was timed.
std::optional<Bottleneck> find_bottleneck(const std::vector<StageTime>& stages, double wall_s);

/// Time saved: what was not computed, at the network's own speed. `network_s`: time spent in it and waiting for it.
ReuseReport reuse_report(const ReuseCounts& counts, double network_s);

/// Exit code and context of what ended a run.
Failure failure_of(const std::exception_ptr& failure);

/// Name and version of this program and of the libraries behind it.
std::vector<std::pair<std::string, std::string>> program_versions();

}   // namespace millstream
