#include "millstream/verify.h"

#include <chrono>
#include <string>
#include <utility>

#include "base/cpu.h"
#include "millstream/error.h"
#include "resource/memory.h"
#include "resource/run_meter.h"
#include "verify/compare_frames.h"
#include "verify/compare_packets.h"

namespace millstream {
namespace {

using Clock = std::chrono::steady_clock;

void check_options(const VerifyOptions& options) {
    const auto refuse = [](const char* what, const char* why) {
        throw Error(ErrorKind::usage, {"reading the options", what, why, "See millstream verify --help"});
    };
    if (!(options.time_tolerance_s > 0)) {
        refuse("time tolerance", "it must be above 0 seconds");
    }
    if (!(options.psnr_margin_db >= 0) || !(options.frame_drop_db > 0)) {
        refuse("PSNR margin", "it must be above 0 dB");
    }
    if (!(options.level_tolerance > 0)) {
        refuse("level tolerance", "it must be above 0");
    }
}

// Tells the observer how far it is, a few times a second, and ends the comparison on a stop request.
class ProgressTeller {
public:
    ProgressTeller(std::int64_t frames, double video_s, Observer& observer, std::stop_token stop)
        : meter_({.frames = frames, .video_s = video_s}, Clock::now()), observer_(observer), stop_(std::move(stop)) {}

    void frame(std::int64_t number) {
        check_stop();
        const auto now = Clock::now();
        meter_.frame_done(number, 0, now);
        if (now - last_ >= kInterval) {
            tell(now);
        }
    }
    // While packets are read no frame is done, but the clock goes on.
    void waiting() {
        check_stop();
        const auto now = Clock::now();
        if (now - last_ >= kInterval) {
            tell(now);
        }
    }
    void finish() { tell(Clock::now()); }

private:
    static constexpr std::chrono::milliseconds kInterval{200};

    void check_stop() const {
        if (stop_.stop_requested()) {
            throw Error(ErrorKind::interrupted, {"checking the result", "", "stopped on request", ""});
        }
    }
    void tell(Clock::time_point now) {
        last_ = now;
        Progress progress;
        meter_.fill(progress, now);
        progress.rss_bytes = resident_bytes();
        observer_.on_progress(progress);
    }

    SpeedMeter meter_;
    Observer& observer_;
    std::stop_token stop_;
    Clock::time_point last_ = Clock::now();
};

ComparedFile described(SourceInfo info) {
    ComparedFile file;
    file.contents = describe_contents(info);
    file.info = std::move(info);
    return file;
}

SourceInfo probe_result(const SourceInfo& source, const VerifyOptions& options) {
    SourceInfo result = probe(options.output);
    const int enhanced = enhanced_stream(source, result, options);
    return enhanced == result.video_stream ? result : probe(options.output, enhanced);
}

}   // namespace

VerifyReport verify(const VerifyOptions& options, Observer* observer, std::stop_token stop) {
    check_options(options);
    const auto start = Clock::now();
    Observer silent;
    VerifyReport report;
    report.options = options;
    ComparedFile source = described(probe(options.input, options.video_stream, options.turned));
    ComparedFile result = described(probe_result(source.info, options));
    const DecoderSettings decoding{.threads = options.threads > 0 ? options.threads : usable_cpus(), .hwaccel = ""};
    FrameCursor of_source(source.info, decoding);
    FrameCursor of_result(result.info, decoding);
    source.first_frame_s = of_source.first_pts_s();
    result.first_frame_s = of_result.first_pts_s();

    ProgressTeller progress(source.info.video().video->frames, source.info.duration_s,
                            observer == nullptr ? silent : *observer, std::move(stop));
    Findings findings;
    const std::vector<StreamPair> pairs =
        pair_streams(source.contents, source.info.video_stream, result.contents, result.info.video_stream);
    compare_streams(source, result, pairs, options, findings);
    compare_chapters(source, result, options.time_tolerance_s, findings);
    compare_file_tags(source, result, findings);
    compare_picture_data(source, result, options, findings);
    compare_packets(source, result, pairs, options, findings, [&](double) { progress.waiting(); });
    compare_frames(source, of_source, result, of_result, findings, report,
                   [&](std::int64_t frame) { progress.frame(frame); });
    progress.finish();
    findings.fill(report);
    report.wall_s = std::chrono::duration<double>(Clock::now() - start).count();
    return report;
}

}   // namespace millstream
