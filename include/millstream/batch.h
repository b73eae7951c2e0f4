// Several videos, one after the other, with a network that is loaded once.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "millstream/error.h"
#include "millstream/observer.h"
#include "millstream/options.h"
#include "millstream/report.h"

namespace millstream {

struct BatchOptions {
    std::vector<std::filesystem::path> inputs;
    std::filesystem::path folder;   ///< of the outputs; made where it is missing
    /// Of every job, but for input and output. A report's file name gets the output's in front: run.json becomes
    /// a.mkv.run.json; the metrics file is the running job's.
    Options each;
    bool fail_fast = false;   ///< the first failure ends the batch; else only a stop request does
};

/// One video of a batch, and what became of it.
struct BatchItem {
    enum class Outcome {
        waiting,   ///< not begun: the batch has ended before
        done,
        exists,   ///< its output was there, complete, and is left as it is (Options::overwrite makes it anew)
        failed
    };
    std::filesystem::path input = {};
    std::filesystem::path output = {};
    Outcome outcome = Outcome::waiting;
    std::optional<Report> report = {};   ///< done
    std::optional<Error> error = {};     ///< failed
};

struct BatchReport {
    std::vector<BatchItem> items;   ///< in the order of the inputs

    [[nodiscard]] std::size_t count(BatchItem::Outcome outcome) const;
    /// 0 where nothing failed. Else that of the worst failure, from the worst on: a defect (1), stopped (130), out of a
    /// resource (6), model (5), refused (4), input (3), usage (2), a difference (7), found by Options::verify, too.
    [[nodiscard]] int exit_code() const;
};

/// Between the calls of on_begin and on_end an Observer's calls are about that video.
class BatchObserver : public Observer {
public:
    /// `number` from 1 to `count`. Not called for outputs that exist.
    virtual void on_begin(std::size_t /*number*/, std::size_t /*count*/, const BatchItem& /*item*/) {}
    virtual void on_end(const BatchItem& /*item*/) {}
};

/// The jobs, without beginning any: FOLDER/NAME for each input, NAME as the input's where its extension is that of a
/// container we write (.mp4 .mov .mkv .webm), else with .mkv. Throws Error(usage) where there is no input, or two would
/// have one output.
std::vector<Options> batch_jobs(const BatchOptions& batch);

/// Each job as enhance() of millstream/job.h does it, with a checkpoint and reports of its own: the same call again
/// goes on where an earlier one was stopped. What a job throws is its item's error, and the next is begun. Throws
/// itself only what batch_jobs() does, where the folder cannot be made, and what an observer throws.
BatchReport enhance_all(const BatchOptions& batch, BatchObserver* observer = nullptr, std::stop_token stop = {});

/// JSON: {"exit_code": .., "items": [{"input", "output", "outcome", "report", "error"}]}.
std::string to_json(const BatchReport& report);

}   // namespace millstream
