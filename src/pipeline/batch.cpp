#include "millstream/batch.h"

#include <algorithm>
#include <array>
#include <exception>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "model/shelf.h"
#include "pipeline/job.h"
#include "pipeline/output_checks.h"
#include "pipeline/report_figures.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(ErrorKind kind, const std::string& subject, std::string why, std::string hint) {
    throw Error(kind, {"preparing several videos", subject, std::move(why), std::move(hint)});
}

fs::path output_name(const fs::path& input) {
    constexpr std::array<const char*, 4> kWritten{".mp4", ".mov", ".mkv", ".webm"};
    const bool kept = std::find(kWritten.begin(), kWritten.end(), input.extension().string()) != kWritten.end();
    return kept ? input.filename() : fs::path(input.stem()).concat(".mkv");
}

void make_folder(const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (!fs::is_directory(folder, failed)) {
        refuse(ErrorKind::usage, folder.string(), "it is not a folder and cannot become one",
               "With several inputs -o takes a folder");
    }
}

// Complete: an interrupted run's file has another name until it is finished.
bool is_there(const Options& job) {
    std::error_code failed;
    return !job.overwrite && fs::exists(job.output, failed) && !fs::exists(partial_path(job.output), failed);
}

// An observer whose exceptions are told from those of a job.
class Guarded : public BatchObserver {
public:
    explicit Guarded(BatchObserver& inner) : inner_(inner) {}
    void on_plan(const Plan& plan) override {
        guard([&] { inner_.on_plan(plan); });
    }
    void on_progress(const Progress& progress) override {
        guard([&] { inner_.on_progress(progress); });
    }
    void on_message(Severity severity, const std::string& text) override {
        guard([&] { inner_.on_message(severity, text); });
    }
    [[nodiscard]] bool threw() const { return threw_; }

private:
    template <class Call>
    void guard(const Call& call) {
        try {
            call();
        } catch (...) {
            threw_ = true;
            throw;
        }
    }

    BatchObserver& inner_;
    bool threw_ = false;
};

// The exception in flight as an Error.
Error failure_in_flight() {
    const Failure failure = failure_of(std::current_exception());
    return {static_cast<ErrorKind>(failure.exit_code), failure.context};
}

// From the worst on; the last means that nothing failed.
constexpr std::array<int, 9> kWorstFirst{static_cast<int>(ErrorKind::internal),
                                         static_cast<int>(ErrorKind::interrupted),
                                         static_cast<int>(ErrorKind::resource),
                                         static_cast<int>(ErrorKind::model),
                                         static_cast<int>(ErrorKind::refused),
                                         static_cast<int>(ErrorKind::input),
                                         static_cast<int>(ErrorKind::usage),
                                         static_cast<int>(ErrorKind::difference),
                                         0};

int exit_code_of(const BatchItem& item) {
    if (item.error) {
        return item.error->exit_code();
    }
    const bool differs = item.report && item.report->verification && !item.report->verification->holds();
    return differs ? static_cast<int>(ErrorKind::difference) : 0;
}

}   // namespace

std::size_t BatchReport::count(BatchItem::Outcome outcome) const {
    return static_cast<std::size_t>(std::count_if(
        items.begin(), items.end(), [outcome](const BatchItem& item) { return item.outcome == outcome; }));
}

int BatchReport::exit_code() const {
    const auto rank = [](int code) { return std::find(kWorstFirst.begin(), kWorstFirst.end(), code); };
    const auto* worst = rank(0);
    for (const BatchItem& item : items) {
        worst = std::min(worst, rank(exit_code_of(item)));
    }
    return *worst;
}

std::vector<Options> batch_jobs(const BatchOptions& batch) {
    if (batch.inputs.empty()) {
        refuse(ErrorKind::usage, "", "there is no input", "Name the videos to enhance");
    }
    std::vector<Options> jobs;
    for (const fs::path& input : batch.inputs) {
        Options job = batch.each;
        job.input = input;
        job.output = batch.folder / output_name(input);
        for (fs::path& report : job.reports) {
            report.replace_filename(job.output.filename().string() + "." + report.filename().string());
        }
        const auto twin =
            std::find_if(jobs.begin(), jobs.end(), [&job](const Options& other) { return other.output == job.output; });
        if (twin != jobs.end()) {
            refuse(ErrorKind::usage, job.output.string(),
                   twin->input.string() + " and " + input.string() + " would both be written there",
                   "Enhance one of them by a call of its own");
        }
        jobs.push_back(std::move(job));
    }
    return jobs;
}

BatchReport enhance_all(const BatchOptions& batch, BatchObserver* observer, std::stop_token stop) {
    BatchObserver silent;
    BatchObserver& watcher = observer == nullptr ? silent : *observer;
    const std::vector<Options> jobs = batch_jobs(batch);
    make_folder(batch.folder);
    BatchReport report;
    for (const Options& job : jobs) {
        report.items.push_back({.input = job.input, .output = job.output});
    }
    ModelShelf models;
    for (std::size_t i = 0; i < jobs.size() && !stop.stop_requested(); ++i) {
        BatchItem& item = report.items[i];
        if (is_there(jobs[i])) {
            item.outcome = BatchItem::Outcome::exists;
            watcher.on_message(Severity::info, item.output.string() + " is there already and is left as it is (-y)");
            continue;
        }
        watcher.on_begin(i + 1, jobs.size(), item);
        Guarded guarded(watcher);
        try {
            item.report = enhance_with(models, system_files(), jobs[i], &guarded, stop);
            item.outcome = BatchItem::Outcome::done;
        } catch (...) {
            if (guarded.threw()) {
                throw;
            }
            item.error = failure_in_flight();
            item.outcome = BatchItem::Outcome::failed;
        }
        watcher.on_end(item);
        if (batch.fail_fast && exit_code_of(item) != 0) {
            break;
        }
    }
    return report;
}

}   // namespace millstream
