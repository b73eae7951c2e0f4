#include "pipeline/progress.h"

#include <utility>

#include "millstream/error.h"
#include "pipeline/report_file.h"

namespace millstream {

ProgressReporter::ProgressReporter(const PreparedJob& job, const EncodeProgress& encoded, RunWatch& watch,
                                   Observer& observer)
    : encoded_(encoded),
      watch_(watch),
      observer_(observer),
      seconds_per_tick_(job.source.video().time_base.value()),
      start_pts_(job.source.video().start_pts),
      meter_({.frames = job.plan.frames, .video_s = job.plan.duration_s}, Clock::now()),
      last_report_(Clock::now()),
      metrics_file_(job.plan.options.metrics_file) {
    if (const std::int64_t done = encoded.frames.load(); done > 0) {
        metered_frames_ = done;
        meter_.resumed_at(done, job.plan.frames > 0 ? job.plan.duration_s * static_cast<double>(done) /
                                                          static_cast<double>(job.plan.frames)
                                                    : 0);
    }
}

void ProgressReporter::tick() {
    const auto now = Clock::now();
    const std::int64_t frames = encoded_.frames.load();
    if (frames > metered_frames_) {
        metered_frames_ = frames;
        meter_.frame_done(frames, static_cast<double>(encoded_.last_pts.load() - start_pts_) * seconds_per_tick_, now);
    }
    watch_.tick(frames);
    if (now - last_report_ >= kInterval) {
        report(now, false);
    }
}

void ProgressReporter::finish() {
    tick();
    report(Clock::now(), true);
    watch_.tick(encoded_.frames.load());   // what that had to say
    watch_.speeds(meter_.fps_reached(0.5), meter_.fps_reached(0.99));
}

void ProgressReporter::report(Clock::time_point now, bool last) {
    last_report_ = now;
    Progress progress;
    meter_.fill(progress, now);
    progress.resources = watch_.monitor().latest();
    progress.rss_bytes = progress.resources.rss_bytes;
    progress.vram_bytes = progress.resources.vram_bytes;
    progress.output_bytes = encoded_.bytes.load();
    observer_.on_progress(progress);
    if (!metrics_file_.empty() && (last || !last_metrics_ || now - *last_metrics_ >= kMetricsInterval)) {
        last_metrics_ = now;
        renew_metrics(progress);
    }
}

// A file for watching is no reason to end what is watched.
void ProgressReporter::renew_metrics(const Progress& progress) {
    try {
        write_metrics(watch_.file_calls(), metrics_file_, progress);
    } catch (const Error& error) {
        if (!std::exchange(metrics_failed_, true)) {
            watch_.notices().post(Severity::warning, std::string("--metrics-file is not renewed: ") + error.what());
        }
    }
}

}   // namespace millstream
