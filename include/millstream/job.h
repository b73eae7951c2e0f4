// The two calls most programs need: look at what would happen, and do it.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "millstream/observer.h"
#include "millstream/options.h"
#include "millstream/plan.h"
#include "millstream/report.h"

namespace millstream {

/// Decides everything about a job and writes nothing. Throws Error (usage, input, refused, model).
/// Thread-safe; different jobs may be planned and run at once.
Plan make_plan(const Options& options);

/// Enhances options.input into options.output. Blocks until the job has ended; runs its own threads meanwhile.
/// Every chunk that is finished is on the disk, in OUT.part, with a checkpoint beside it, OUT.millstream.json. What an
/// earlier run has left of the same job is gone on with (Options::resume). Where the run ends otherwise, by a stop
/// request (Error(interrupted)), for lack of a resource (Error(resource)) or by any other failure, the two files stay,
/// playable and to be gone on with, if a chunk was finished; else nothing of this run is left behind.
/// With options.verify the finished output is then compared with its source: see Report::verification.
Report enhance(const Options& options, Observer* observer = nullptr, std::stop_token stop = {});

/// Removes what an interrupted run has left beside `output`: OUT.part, the checkpoint, and what the checkpoint is
/// written as. Returns what it removed. Throws Error(refused) while a run is writing there.
std::vector<std::filesystem::path> remove_leftovers(const std::filesystem::path& output);

/// JSON of options, a plan or a report: the field names of the structs, two-space indented.
std::string to_json(const Options& options);
std::string to_json(const Plan& plan);
std::string to_json(const Report& report);

/// The plan as the lines `millstream inspect` prints.
std::string to_text(const Plan& plan);

}   // namespace millstream
