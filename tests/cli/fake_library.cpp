// The public API without a library behind it. What a job does follows from the name of its input:
//   missing*   Error(input)            defect*   std::logic_error        memory*  std::bad_alloc
//   endless*   runs until a stop request, then Error(interrupted); tells the Observer when it has started
//   deaf*      never looks at the stop request
//   any other  ten frames, a warning, done
// verify() finds a difference where the name of its result begins with `broken`, and takes three seconds by its own
// account where that of its source begins with `long`.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "millstream/batch.h"
#include "millstream/error.h"
#include "millstream/job.h"
#include "millstream/model.h"
#include "millstream/system.h"
#include "millstream/verify.h"

namespace millstream {
namespace {

void wait_for(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, std::move(stop), [] { return false; });
}

}   // namespace

Plan make_plan(const Options& options) {
    const std::string name = options.input.filename().string();
    if (name.starts_with("missing")) {
        throw Error(ErrorKind::input, {"opening the input", options.input.string(), "there is no such file", ""});
    }
    if (name.starts_with("defect")) {
        throw std::logic_error("seven is not eight");
    }
    if (name.starts_with("memory")) {
        throw std::bad_alloc();
    }
    Plan plan;
    plan.options = options;
    plan.input_size = {640, 360};
    plan.output_size = {1280, 720};
    plan.frames = 10;
    plan.model = options.model;
    plan.device = "cpu";
    plan.backend = "openvino";
    plan.precision = "fp32";
    plan.encoder = "libx264";
    plan.crf = options.crf.value_or(18);
    plan.notes = {"one subtitle stream is left out"};
    return plan;
}

std::int64_t VerifyReport::differences() const {
    return checks.empty() ? 0 : checks.front().differences;
}

VerifyReport verify(const VerifyOptions& options, Observer* observer, std::stop_token /*stop*/) {
    VerifyReport report;
    report.options = options;
    report.checks = {{"frames", 10, options.output.filename().string().starts_with("broken") ? 1 : 0, {}}};
    Progress progress;
    progress.frames_total = 10;
    progress.elapsed_s = options.input.filename().string().starts_with("long") ? 3 : 1;
    observer->on_progress(progress);
    return report;
}

Report enhance(const Options& options, Observer* observer, std::stop_token stop) {
    Report report;
    report.plan = make_plan(options);
    const std::string name = options.input.filename().string();
    observer->on_plan(report.plan);
    Progress progress;
    progress.frames_total = 10;
    progress.rss_bytes = 1 << 30;
    observer->on_progress(progress);
    if (name.starts_with("endless") || name.starts_with("deaf")) {
        wait_for(name.starts_with("deaf") ? std::stop_token{} : stop);
        throw Error(ErrorKind::interrupted, {"enhancing", options.input.string(), "stopped after frame 0",
                                             "What is done is in " + options.output.string() + ".part"});
    }
    observer->on_message(Severity::warning, "two frames were concealed");
    progress.frames_done = 10;
    progress.fraction = 1;
    observer->on_progress(progress);
    report.frames = 10;
    report.wall_s = 5;
    report.fps_mean = 2;
    report.warnings = {"two frames were concealed"};
    if (options.verify) {
        VerifyOptions verification;
        verification.input = options.input;
        verification.output = options.output;
        report.verification = verify(verification, observer, std::move(stop));
    }
    return report;
}

std::size_t BatchReport::count(BatchItem::Outcome outcome) const {
    return static_cast<std::size_t>(std::count_if(
        items.begin(), items.end(), [outcome](const BatchItem& item) { return item.outcome == outcome; }));
}
int BatchReport::exit_code() const {   // of the first that failed
    const auto failed = std::find_if(items.begin(), items.end(), [](const BatchItem& item) { return item.error; });
    return failed == items.end() ? 0 : failed->error->exit_code();
}

BatchReport enhance_all(const BatchOptions& batch, BatchObserver* observer, std::stop_token stop) {
    BatchReport report;
    for (const std::filesystem::path& input : batch.inputs) {
        Options options = batch.each;
        options.input = input;
        options.output = batch.folder / input.filename();
        BatchItem& item = report.items.emplace_back();
        item.input = input;
        item.output = options.output;
        observer->on_begin(report.items.size(), batch.inputs.size(), item);
        try {
            item.report = enhance(options, observer, stop);
            item.outcome = BatchItem::Outcome::done;
        } catch (const Error& error) {
            item.error = error;
            item.outcome = BatchItem::Outcome::failed;
        }
        observer->on_end(item);
    }
    return report;
}

std::string to_json(const BatchReport& report) {
    nlohmann::json items = nlohmann::json::array();
    for (const BatchItem& item : report.items) {
        items.push_back({{"input", item.input.string()}, {"report", nullptr}, {"error", nullptr}});
    }
    return nlohmann::json{{"exit_code", report.exit_code()}, {"items", items}}.dump();
}

std::string to_json(const VerifyReport& report) {
    return nlohmann::json{{"holds", report.holds()}}.dump();
}
std::string to_text(const VerifyReport& report) {
    return report.holds() ? "the same\n" : "not the same\n";
}

std::vector<std::filesystem::path> remove_leftovers(const std::filesystem::path& output) {
    return {output.string() + ".part"};
}

std::string to_json(const Plan& plan) {
    return nlohmann::json{{"model", plan.model}}.dump();
}
std::string to_json(const Report& report) {
    return nlohmann::json{{"frames", report.frames}}.dump();
}
std::string to_text(const Plan& plan) {
    return "input   " + plan.options.input.string() + "\noutput  " + plan.options.output.string();
}

std::vector<ModelInfo> list_models() {
    ModelInfo model;
    model.name = "realesr-animevideov3";
    model.scale = 2;
    model.licence = "BSD-3-Clause";
    model.description = "small and fast";
    model.package = "some-package==1.0";
    model.files = {{"x2.param", "00ff"}};
    ModelInfo identity;
    identity.name = "identity";
    return {model, identity};
}

std::vector<std::filesystem::path> model_search_path() {
    return {"/somewhere/models"};
}
std::filesystem::path fetch_models() {
    return "/somewhere/models";
}

SystemInfo inspect_system(const std::filesystem::path& disk_path) {
    SystemInfo info;
    info.libraries = {{"media", "FFmpeg 0"}};
    info.cpu_precision = "fp32";
    info.disk_path = disk_path;
    return info;
}

}   // namespace millstream
