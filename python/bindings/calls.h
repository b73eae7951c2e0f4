// The calls that do the work, with Python's callbacks, Ctrl-C and interpreter lock.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <utility>
#include <vector>

#include "millstream/options.h"

namespace millstream::python {

/// Names and texts of option_table(), in the order they were given.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// Options with `settings` over the defaults. Throws Error(usage).
Options make_options(const std::string& input, const std::string& output, const Settings& settings);

/// What to call while a job runs; each may be None. All calls but those of `filter`, which is a stage, come from the
/// thread that called.
struct Callbacks {
    nanobind::object plan;                        ///< (JSON of the plan)
    nanobind::object progress;                    ///< (dict with the fields of Progress)
    nanobind::object message;                     ///< (severity, text)
    nanobind::object filter = nanobind::none();   ///< (pixels) -> pixels or None: see PythonFilter
    int filter_batch = 1;
    bool filter_torch = true;
    nanobind::object begin = nanobind::none();   ///< (number, count, input, output), of several videos
};

/// JSON of the plan.
std::string plan_call(const std::string& input, const std::string& output, const Settings& settings);

/// JSON of the report. The first Ctrl-C, like an exception of a callback, ends the job as a stop request does and is
/// raised again afterwards; the second one ends it at once. The interpreter lock is not held meanwhile.
std::string enhance_call(const std::string& input, const std::string& output, const Settings& settings,
                         const Callbacks& callbacks);

/// JSON of a BatchReport; `settings` hold for every job.
std::string enhance_all_call(const std::vector<std::string>& inputs, const std::string& folder,
                             const Settings& settings, bool fail_fast, const Callbacks& callbacks);

/// JSON of the verification. `options`: the fields of VerifyOptions that differ from its defaults.
std::string verify_call(const std::string& input, const std::string& output, const nanobind::dict& options,
                        const Callbacks& callbacks);

}   // namespace millstream::python
