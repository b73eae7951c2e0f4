// The two calls most programs need: look at what would happen, and do it.
#pragma once

#include <stop_token>
#include <string>

#include "millstream/observer.h"
#include "millstream/options.h"
#include "millstream/plan.h"
#include "millstream/report.h"

namespace millstream {

/// Decides everything about a job and writes nothing. Throws Error (usage, input, refused, model).
/// Thread-safe; different jobs may be planned and run at once.
Plan make_plan(const Options& options);

/// Enhances options.input into options.output. Blocks until the job has ended; runs its own threads meanwhile.
/// On a stop request the batch in hand is finished, `OUT.part` is left playable, and Error(interrupted) is thrown.
/// With options.verify the finished output is then compared with its source: see Report::verification.
/// On any other failure nothing is left behind and the Error says what, where and why.
Report enhance(const Options& options, Observer* observer = nullptr, std::stop_token stop = {});

/// JSON of a plan or a report: the field names of the structs, two-space indented.
std::string to_json(const Plan& plan);
std::string to_json(const Report& report);

/// The plan as the lines `millstream inspect` prints.
std::string to_text(const Plan& plan);

}   // namespace millstream
