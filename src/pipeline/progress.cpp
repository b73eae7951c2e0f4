#include "pipeline/progress.h"

#include "resource/memory.h"

namespace millstream {

ProgressReporter::ProgressReporter(const PreparedJob& job, const EncodeProgress& encoded, Observer& observer)
    : encoded_(encoded),
      observer_(observer),
      seconds_per_tick_(job.source.video().time_base.value()),
      start_pts_(job.source.video().start_pts),
      meter_({.frames = job.plan.frames, .video_s = job.plan.duration_s}, Clock::now()),
      last_report_(Clock::now()) {}

void ProgressReporter::tick() {
    const auto now = Clock::now();
    if (const std::int64_t frames = encoded_.frames.load(); frames > metered_frames_) {
        metered_frames_ = frames;
        meter_.frame_done(frames, static_cast<double>(encoded_.last_pts.load() - start_pts_) * seconds_per_tick_, now);
    }
    if (now - last_report_ >= kInterval) {
        report(now);
    }
}

void ProgressReporter::finish() {
    tick();
    report(Clock::now());
}

void ProgressReporter::report(Clock::time_point now) {
    last_report_ = now;
    Progress progress;
    meter_.fill(progress, now);
    progress.rss_bytes = resident_bytes();
    progress.output_bytes = encoded_.bytes.load();
    observer_.on_progress(progress);
}

}   // namespace millstream
