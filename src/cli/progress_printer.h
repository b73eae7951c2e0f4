// Shows a running job: the Observers behind --progress.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/command_line.h"
#include "cli/console.h"
#include "millstream/batch.h"
#include "millstream/error.h"
#include "millstream/observer.h"
#include "millstream/report.h"
#include "millstream/verify.h"

namespace millstream {

/// Seconds since some moment; never goes back.
using Clock = std::function<double()>;

class ProgressPrinter : public BatchObserver {
public:
    /// What became of each of several videos, once all have ended.
    virtual void on_batch_done(const BatchReport& report) = 0;
    virtual void on_done(const Report& report) = 0;
    /// `json`: as one JSON document where the printer writes for people.
    virtual void on_verified(const VerifyReport& report, bool json) = 0;
    virtual void on_error(const Error& error) = 0;
    /// A signal has asked for the end. Called from another thread.
    virtual void on_stopping(const std::string& signal) = 0;
};

/// `automatic` becomes a bar where stderr is a terminal, else lines. Redrawn at most 10 times a second (bar), every 5 s
/// (lines), once a second (json); the last progress always. `console` must outlive it.
std::unique_ptr<ProgressPrinter> make_progress_printer(ProgressMode mode, Verbosity verbosity, Console& console,
                                                       Clock clock);

}   // namespace millstream
