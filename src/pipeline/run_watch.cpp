#include "pipeline/run_watch.h"

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

// "cuda:1" -> NVML's device 1.
std::shared_ptr<DeviceMemory> device_of(const std::string& name) {
    if (!name.starts_with("cuda")) {
        return nullptr;
    }
    const std::size_t colon = name.find(':');
    return open_nvidia_device(colon == std::string::npos ? 0U
                                                         : static_cast<unsigned>(std::stoul(name.substr(colon + 1))));
}

// Each sample also looks at the open files.
Figures figures_of(const PreparedJob& job, FileLedger& files) {
    auto system = std::make_shared<SystemFigures>(job.plan.options.output, device_of(job.plan.device));
    return [system, &files] {
        files.look();
        return system->read();
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

RunWatch::RunWatch(const PreparedJob& job, FileCalls& files, Observer& observer)
    : observer_(observer),
      started_(utc_now()),
      cpu_s_at_start_(process_cpu_seconds()),
      resumed_frames_(job.checkpoint ? job.checkpoint->output.frames : 0),
      frames_(resumed_frames_),
      counted_(files, files_),
      monitor_({.thresholds = {job.plan.options.elevated_pressure, job.plan.options.critical_pressure},
                .planned = {.expected = job.plan.memory.expected(),
                            .budget = job.plan.memory.budget,
                            .vram_budget = vram_budget_of(job.plan)}},
               figures_of(job, files_), frames_, notices_) {
    expect_files(files_, job.plan.options);
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
    report.started = started_;
    report.versions = program_versions();
    report.model = report.plan.model;
    report.device = report.plan.device;
    report.device_name = report.plan.device_name;
    report.backend = report.plan.backend;
    report.precision = report.precision.empty() ? report.plan.precision : report.precision;
    report.wall_s = std::chrono::duration<double>(Clock::now() - start_).count();
    report.fps_mean =
        report.wall_s > 0 ? static_cast<double>(report.frames - report.resumed_frames) / report.wall_s : 0;
    report.fps_p50 = fps_p50_;
    report.fps_p99 = fps_p99_;
    report.peak_rss_bytes = peak_resident_bytes();
    report.mean_rss_bytes = monitor_.mean_rss();
    report.peak_vram_bytes = monitor_.peak_vram();
    report.mean_vram_bytes = monitor_.mean_vram();
    report.cpu_s = process_cpu_seconds() - cpu_s_at_start_;
    report.energy_j = last.energy_j;
    report.curve = monitor_.curve();
    {
        const std::lock_guard lock(mutex_);
        report.backoffs = back_offs_;
    }
    report.warnings.insert(report.warnings.begin(), warnings_.begin(), warnings_.end());
    report.files = files_.files();
    report.disk = files_.traffic();
    report.bottleneck = find_bottleneck(report.stages, report.wall_s);
    const double pixels =
        static_cast<double>(report.frames) * report.plan.output_size.width * report.plan.output_size.height;
    report.output_bits_per_pixel = pixels > 0 ? static_cast<double>(report.output_bytes) * 8 / pixels : 0;
}

Report RunWatch::failed(const Plan& plan, const std::exception_ptr& failure) {
    Report report;
    report.plan = plan;
    report.failure = failure_of(failure);
    const bool stopped = report.failure->exit_code == static_cast<int>(ErrorKind::interrupted);
    report.outcome = stopped ? "interrupted" : "failed";
    report.frames = frames_.load();
    report.resumed_frames = resumed_frames_;
    fill(report);
    return report;
}

}   // namespace millstream
