#include "pipeline/run_watch.h"

#include <algorithm>
#include <ctime>
#include <exception>
#include <new>

#include "pipeline/output_checks.h"
#include "pipeline/report_figures.h"
#include "resource/memory.h"
#include "resource/system_figures.h"

namespace millstream {
namespace {

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32] = {};
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

// "cuda:1,cuda:2" -> CUDA's devices 1 and 2.
std::shared_ptr<DeviceMemory> devices_of(const std::string& words) {
    std::vector<std::shared_ptr<DeviceMemory>> devices;
    for (const std::string& word : device_words(words)) {
        if (is_cuda(word)) {
            const std::size_t colon = word.find(':');
            devices.push_back(open_nvidia_device(
                colon == std::string::npos ? 0U : static_cast<unsigned>(std::stoul(word.substr(colon + 1)))));
        }
    }
    return fullest_of(std::move(devices));
}

// What Torch's allocator holds of the device of which it holds most: the budget is for that, and it is known also where
// NVIDIA's library sees no processes, as in a container.
std::optional<std::uint64_t> held_bytes(const std::vector<std::shared_ptr<DeviceLink>>& links) {
    std::uint64_t most = 0;
    for (const auto& link : links) {
        most = std::max(most, link->held_bytes());
    }
    return most > 0 ? std::optional(most) : std::nullopt;
}

// Each sample also looks at the open files.
Figures figures_of(const PreparedJob& job, FileLedger& files) {
    auto system = std::make_shared<SystemFigures>(job.plan.options.output, devices_of(job.plan.device));
    return [system, &files, links = job.executor.links] {
        files.look();
        ResourceSnapshot figures = system->read();
        const auto held = held_bytes(links);
        figures.vram_bytes = held ? held : figures.vram_bytes;
        return figures;
    };
}

std::optional<std::uint64_t> vram_budget_of(const Plan& plan) {
    return plan.memory.vram_budget > 0 ? std::optional(plan.memory.vram_budget) : plan.options.max_vram;
}

void expect_files(FileLedger& files, const Options& options) {
    files.expect(options.input, "input");
    files.expect(partial_path(options.output), "output", options.output);
    files.expect_replaced(checkpoint_path(options.output), "checkpoint");
    for (const auto& report : options.reports) {
        files.expect_replaced(report, "report");
    }
    if (!options.metrics_file.empty()) {
        files.expect_replaced(options.metrics_file, "metrics");
    }
}

}   // namespace

RunStart::RunStart() : utc(utc_now()), time(std::chrono::steady_clock::now()), cpu_s(process_cpu_seconds()) {
    reset_peak_resident_bytes();
}

RunWatch::RunWatch(RunStart& start, const PreparedJob& job, FileCalls& files, Observer& observer)
    : observer_(observer),
      start_(start),
      peak_rss_before_(job.peak_rss_bytes),
      resumed_frames_(job.checkpoint ? job.checkpoint->output.frames : 0),
      frames_(resumed_frames_),
      counted_(files, start.files),
      monitor_({.thresholds = {job.plan.options.elevated_pressure, job.plan.options.critical_pressure},
                .planned = {.expected = job.plan.memory.expected(),
                            .budget = job.plan.memory.budget,
                            .vram_expected = job.plan.memory.vram,
                            .vram_budget = vram_budget_of(job.plan)}},
               figures_of(job, start.files), frames_, notices_) {
    expect_files(start.files, job.plan.options);
    sampler_.emplace(monitor_);
}

void RunWatch::tick(std::int64_t frames_done) {
    frames_.store(frames_done);
    for (const Notice& notice : notices_.take()) {
        if (notice.severity == Severity::warning) {
            warnings_.push_back(notice.text);
        }
        observer_.on_message(notice.severity, notice.text);
    }
}

void RunWatch::speeds(double p50, double p99) {
    fps_p50_ = p50;
    fps_p99_ = p99;
}

void RunWatch::back_off(const BackOff& back_off) {
    const bool better = back_off.measure == "taken back";
    std::string text = better ? "memory does again, a measure is taken back" : "memory ran short: " + back_off.measure;
    text += " from frame " + std::to_string(back_off.frame) + " on";
    text += back_off.to.empty() ? "" : " (" + back_off.from + " -> " + back_off.to + ")";
    notices_.post(better ? Severity::info : Severity::warning, text + ": " + back_off.why);
    const std::lock_guard lock(mutex_);
    back_offs_.push_back(back_off);
}

void RunWatch::fill(Report& report) {
    sampler_.reset();
    const ResourceSnapshot last = monitor_.latest();
    report.started = start_.utc;
    report.versions = program_versions();
    report.model = report.plan.model;
    report.device = report.plan.device;
    report.device_name = report.plan.device_name;
    report.backend = report.plan.backend;
    report.precision = report.precision.empty() ? report.plan.precision : report.precision;
    report.wall_s = std::chrono::duration<double>(Clock::now() - start_.time).count();
    report.fps_mean =
        report.wall_s > 0 ? static_cast<double>(report.frames - report.resumed_frames) / report.wall_s : 0;
    report.fps_p50 = fps_p50_;
    report.fps_p99 = fps_p99_;
    report.peak_rss_bytes = std::max(peak_resident_bytes(), peak_rss_before_);
    report.mean_rss_bytes = monitor_.mean_rss();
    report.peak_vram_bytes = monitor_.peak_vram();
    report.mean_vram_bytes = monitor_.mean_vram();
    report.cpu_s = process_cpu_seconds() - start_.cpu_s;
    report.energy_j = last.energy_j;
    report.curve = monitor_.curve();
    {
        const std::lock_guard lock(mutex_);
        report.backoffs = back_offs_;
    }
    report.warnings.insert(report.warnings.begin(), warnings_.begin(), warnings_.end());
    report.files = start_.files.files();
    report.disk = start_.files.traffic();
    report.bottleneck = find_bottleneck(report.stages, std::chrono::duration<double>(Clock::now() - planned_).count());
    const double pixels =
        static_cast<double>(report.frames) * report.plan.output_size.width * report.plan.output_size.height;
    report.output_bits_per_pixel = pixels > 0 ? static_cast<double>(report.output_bytes) * 8 / pixels : 0;
}

void RunWatch::fail(Report& report, const std::exception_ptr& failure) {
    report.failure = failure_of(failure);
    const bool stopped = report.failure->exit_code == static_cast<int>(ErrorKind::interrupted);
    report.outcome = stopped ? "interrupted" : "failed";
    report.frames = std::max(report.frames, frames_.load());
    report.resumed_frames = resumed_frames_;
    fill(report);
}

}   // namespace millstream
