// The plan's descriptive fields, and the plan in words.
#pragma once

#include <string>

#include "pipeline/planner.h"

namespace millstream {

std::string words(Size size);   ///< "1920x1080"
std::string words(Backend backend);
std::string words(Precision precision);
Precision precision_called(const std::string& name);   ///< the way back; automatic where it is unknown
std::string words(TemporalPreset preset);
std::string words(Reuse reuse);
std::string words(FlowQuality quality);
std::string words(DebugView view);

/// Fills the fields of job.plan that follow from the rest of the job.
void describe(PreparedJob& job);

}   // namespace millstream
