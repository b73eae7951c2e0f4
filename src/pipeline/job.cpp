#include "millstream/job.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/cpu.h"
#include "media/decoder.h"
#include "media/output.h"
#include "millstream/error.h"
#include "millstream/filter.h"
#include "millstream/verify.h"
#include "pipeline/filter_stage.h"
#include "pipeline/output_checks.h"
#include "pipeline/planner.h"
#include "pipeline/progress.h"
#include "pipeline/runner.h"
#include "pipeline/stages.h"
#include "pipeline/temporal_stages.h"
#include "resource/memory.h"

namespace millstream {
namespace {

using Clock = std::chrono::steady_clock;

// Removes OUT.part unless it has been renamed or is to be kept.
class PartialFile {
public:
    explicit PartialFile(std::filesystem::path path) : path_(std::move(path)) {}
    PartialFile(const PartialFile&) = delete;
    PartialFile& operator=(const PartialFile&) = delete;
    ~PartialFile() {
        if (!kept_) {
            std::error_code ignored;
            std::filesystem::remove(path_, ignored);
        }
    }
    void keep() { kept_ = true; }
    void become(const std::filesystem::path& output) {
        std::filesystem::rename(path_, output);
        kept_ = true;
    }

private:
    std::filesystem::path path_;
    bool kept_ = false;
};

// Everything one run needs, built from a prepared job in the order frames pass it.
class Run {
public:
    Run(PreparedJob job, FrameFilter* filter, Observer& observer, std::stop_token stop)
        : job_(std::move(job)),
          filter_(filter),
          observer_(observer),
          stop_(std::move(stop)),
          partial_(partial_path(job_.plan.options.output)),
          executor_(make_executor(job_.model.network, job_.executor)),
          decoder_(job_.source, {.threads = usable_cpus(),
                                 .hwaccel = job_.plan.options.hwaccel,
                                 .strict = job_.plan.options.strict,
                                 .deinterlacing = job_.deinterlacing,
                                 .crop = job_.crop}),
          output_({.path = partial_path(job_.plan.options.output),
                   .container = job_.plan.container,
                   .encoder = job_.encoder,
                   .carried = job_.carried,
                   .index_bytes = job_.index_bytes},
                  job_.source) {}

    Report execute() {
        const auto start = Clock::now();
        const std::int64_t loads_before = model_load_count() - 1;   // the planner loaded it for this run
        Report report = run_stages();
        const OutputStatistics written = output_.finish(stop_.stop_requested());
        report.frames = written.frames;
        report.output_bytes = written.bytes;
        report.wall_s = std::chrono::duration<double>(Clock::now() - start).count();
        report.fps_mean = report.wall_s > 0 ? static_cast<double>(report.frames) / report.wall_s : 0;
        report.peak_rss_bytes = peak_resident_bytes();
        report.input_bytes = job_.source.bytes;
        report.model_loads = model_load_count() - loads_before;
        report.peak_live_frames = live_.peak();
        add_decode_warnings(report);
        add_output_warnings(report, written);
        if (written.frames == 0) {
            throw nothing_written();
        }
        finish_file(report);
        report.plan = std::move(job_.plan);
        return report;
    }

private:
    Report run_stages() {
        const Network& network = job_.model.network;
        const VideoStreamInfo& video = *job_.source.video().video;
        const Size input{video.width, video.height};
        DecodeSource source(decoder_, live_, stop_);
        ToTensorStage to_tensor(video.format, video.width, video.height, keeps_alpha(job_));
        const Options& options = job_.plan.options;
        const bool fixes_colours = options.colour_fix != ColourFixing::off;
        EnhanceStage enhance(*executor_, network.scale, input,
                             {.layout = job_.memory.layout,
                              .overlap = job_.memory.joining == Joining::separate,
                              .keep_input = fixes_colours},
                             stop_);
        ColourFixStage fix_colours(network.scale);
        ToPictureStage to_picture({input.width * network.scale, input.height * network.scale}, job_.encoder);
        MotionStage motion(options.temporal_flow, temporal_threads());
        TemporalStage temporal(options.temporal, options.debug_view, temporal_threads());
        EncodeProgress encoded;
        EncodeStage encode(output_, encoded);

        ProgressReporter progress(job_, encoded, observer_);
        const auto tick = [&progress] { progress.tick(); };
        Report report;
        std::vector<Stage*> before{&to_tensor};
        std::vector<Stage*> behind;
        if (fixes_colours) {
            behind.push_back(&fix_colours);
        }
        if (options.temporal != TemporalPreset::off) {
            before.push_back(&motion);
            behind.push_back(&temporal);
        }
        std::optional<FilterStage> filter;
        if (filter_ != nullptr) {
            behind.push_back(&filter.emplace(*filter_, options.temporal != TemporalPreset::off));
        }
        behind.push_back(&to_picture);
        const auto groups = join(std::move(before), enhance, std::move(behind), encode);
        const bool serial = options.runner == Runner::serial;
        report.stages = serial ? run_serial(source, groups, tick) : run_threaded(source, groups, tick);
        progress.finish();
        const auto frames = std::max<std::int64_t>(1, encoded.frames.load());
        const double filter_copies = filter ? static_cast<double>(filter->copies()) : 0;
        report.copies_per_frame = (enhance.copies() + filter_copies) / static_cast<double>(frames);
        return report;
    }

    [[nodiscard]] std::vector<StageGroup> join(std::vector<Stage*> before, EnhanceStage& enhance,
                                               std::vector<Stage*> behind, EncodeStage& encode) const {
        const MemoryChoice& memory = job_.memory;
        if (memory.joining == Joining::fused) {
            before.push_back(&enhance);
            before.insert(before.end(), behind.begin(), behind.end());
            return {{std::move(before), memory.picture_queue}, {{&encode}, memory.result_queue}};
        }
        return {{std::move(before), memory.picture_queue},
                {{&enhance}, memory.input_queue},
                {std::move(behind), memory.output_queue},
                {{&encode}, memory.result_queue}};
    }

    // Where every stage has a thread of its own, the network takes most of the cores, and motion and lock together a
    // tenth of its time: a quarter of the cores keeps them from holding it up.
    [[nodiscard]] int temporal_threads() const {
        const bool alone = job_.memory.joining == Joining::fused || job_.plan.options.runner == Runner::serial;
        return alone ? job_.executor.threads : std::max(1, job_.executor.threads / 4);
    }

    void add_decode_warnings(Report& report) const {
        const DecodeStatistics& decoded = decoder_.statistics();
        report.decode_errors = decoded.corrupt_packets + decoded.concealed_frames;
        report.repairs = {.damaged_packets = decoded.corrupt_packets,
                          .concealed_frames = decoded.concealed_frames,
                          .missing_pts = decoded.missing_pts,
                          .repeated_pts = decoded.repeated_pts,
                          .backward_pts = decoded.backward_pts,
                          .clock_jumps = decoded.clock_jumps,
                          .resized_frames = decoded.resized_frames};
        report.warnings = describe_damage(decoded);
    }

    void add_output_warnings(Report& report, const OutputStatistics& written) const {
        report.repairs.copied_time_stamps = written.repaired_packets;
        report.repairs.copied_packets_lost = written.damaged_packets;
        const auto warn = [&](std::int64_t count, const char* what) {
            if (count > 0) {
                report.warnings.push_back(std::to_string(count) + " " + what);
            }
        };
        warn(written.repaired_packets, "packets of copied streams had no time stamp or went backwards, and were moved");
        warn(written.damaged_packets, "packets of copied streams were too damaged to be carried over");
        if (job_.plan.options.strict && !report.warnings.empty()) {
            throw Error(ErrorKind::difference, {"copying streams", job_.source.path.string(), report.warnings.front(),
                                                "Without --strict it is repaired and counted"});
        }
        if (job_.index_bytes > 0 && !written.index_in_front) {
            report.warnings.emplace_back("the index is larger than predicted and stays at the end of the file");
        }
    }

    [[nodiscard]] Error nothing_written() const {
        if (stop_.stop_requested()) {
            return {ErrorKind::interrupted, {"stopped on request", "", "no frame was finished; nothing is left", ""}};
        }
        return {ErrorKind::input,
                {"decoding the video", job_.source.path.string(), "not a single frame could be decoded",
                 "The file is damaged beyond repair"}};
    }

    void finish_file(const Report& report) {
        const auto& output = job_.plan.options.output;
        if (stop_.stop_requested()) {
            partial_.keep();
            throw Error(ErrorKind::interrupted, {"stopped on request", "",
                                                 std::to_string(report.frames) + " frames are in " +
                                                     partial_path(output).string() + ", which is playable",
                                                 ""});
        }
        partial_.become(output);
    }

    PreparedJob job_;
    FrameFilter* filter_;   // none: nullptr
    Observer& observer_;
    std::stop_token stop_;
    PartialFile partial_;
    LiveFrames live_;
    std::unique_ptr<Executor> executor_;
    VideoDecoder decoder_;
    VideoOutput output_;
};

// What the plan has said would not be in the output is no difference.
std::vector<int> left_out(const Plan& plan) {
    std::vector<int> streams;
    for (const StreamPlan& stream : plan.streams) {
        if (stream.action == "drop") {
            streams.push_back(stream.index);
        }
    }
    return streams;
}

Report run_job(const Options& options, FrameFilter* filter, Observer* observer, std::stop_token stop) {
    Observer silent;
    Observer& watcher = observer == nullptr ? silent : *observer;
    PreparedJob job = prepare(options);
    watcher.on_plan(job.plan);
    Report report = Run(std::move(job), filter, watcher, stop).execute();
    if (options.verify) {
        watcher.on_message(Severity::info, "comparing the output with its source");
        report.verification = verify({.input = options.input,
                                      .output = options.output,
                                      .video_stream = options.video_stream,
                                      .left_out = left_out(report.plan)},
                                     &watcher, std::move(stop));
    }
    return report;
}

}   // namespace

Plan make_plan(const Options& options) {
    return prepare(options).plan;
}

Report enhance(const Options& options, Observer* observer, std::stop_token stop) {
    return run_job(options, nullptr, observer, std::move(stop));
}

Report enhance(const Options& options, FrameFilter& filter, Observer* observer, std::stop_token stop) {
    return run_job(options, &filter, observer, std::move(stop));
}

}   // namespace millstream
