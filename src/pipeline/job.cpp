#include "millstream/job.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/cpu.h"
#include "media/decoder.h"
#include "media/output.h"
#include "millstream/error.h"
#include "millstream/verify.h"
#include "pipeline/output_checks.h"
#include "pipeline/plan_words.h"
#include "pipeline/planner.h"
#include "pipeline/progress.h"
#include "pipeline/report_file.h"
#include "pipeline/run_watch.h"
#include "pipeline/runner.h"
#include "pipeline/stages.h"
#include "pipeline/temporal_stages.h"

namespace millstream {
namespace {

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
    Run(PreparedJob job, Observer& observer, RunWatch& watch, std::stop_token stop)
        : job_(std::move(job)),
          observer_(observer),
          watch_(watch),
          stop_(std::move(stop)),
          partial_(partial_path(job_.plan.options.output)),
          enhance_(enhance_settings(), enhance_surroundings(), stop_),
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
        const std::int64_t loads_before = model_load_count() - 1;   // the planner loaded it for this run
        Report report = run_stages();
        const OutputStatistics written = output_.finish(stop_.stop_requested());
        report.frames = written.frames;
        report.output_bytes = written.bytes;
        report.input_bytes = job_.source.bytes;
        report.model_loads = model_load_count() - loads_before;
        report.peak_live_frames = live_.peak();
        add_decode_warnings(report);
        add_output_warnings(report, written);
        if (written.frames == 0) {
            throw nothing_written();
        }
        report.plan = job_.plan;
        count_files(report);
        watch_.fill(report);
        if (report.plan.options.strict_io) {
            require_expected(report.files, report.disk);
        }
        finish_file(report);
        report.outcome = "done";
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
        ColourFixStage fix_colours(network.scale);
        ToPictureStage to_picture({input.width * network.scale, input.height * network.scale}, job_.encoder);
        MotionStage motion(options.temporal_flow, temporal_threads());
        TemporalStage temporal(options.temporal, options.debug_view, temporal_threads());
        EncodeProgress encoded;
        EncodeStage encode(output_, encoded);

        ProgressReporter progress(job_, encoded, watch_, observer_);
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
        behind.push_back(&to_picture);
        const auto groups = join(std::move(before), std::move(behind), encode);
        const bool serial = options.runner == Runner::serial;
        report.stages =
            serial ? run_serial(source, groups, tick) : run_threaded(source, groups, tick, &enhance_.short_queues());
        progress.finish();
        const auto frames = std::max<std::int64_t>(1, encoded.frames.load());
        report.precision = words(enhance_.precision());
        report.copies_per_frame = enhance_.copies() / static_cast<double>(frames);
        return report;
    }

    [[nodiscard]] EnhanceStage::Settings enhance_settings() const {
        const Options& options = job_.plan.options;
        const VideoStreamInfo& video = *job_.source.video().video;
        EnhanceStage::Settings settings;
        settings.enhancer.executor = job_.executor;
        settings.enhancer.scale = job_.model.network.scale;
        settings.enhancer.frame = {video.width, video.height};
        settings.enhancer.layout = {job_.memory.layout.tile, job_.memory.halo, job_.memory.blend};
        settings.enhancer.may_lower_precision = options.precision == Precision::automatic;
        settings.enhancer.release_every_frame =
            options.release == ReleasePolicy::every_frame ||
            (options.release == ReleasePolicy::automatic && options.max_vram.has_value());
        settings.overlap = job_.memory.joining == Joining::separate;
        settings.keep_input = options.colour_fix != ColourFixing::off;
        return settings;
    }

    SteadyEnhancer::Surroundings enhance_surroundings() {
        SteadyEnhancer::Surroundings surroundings;
        surroundings.make_executor = [this](const ExecutorSettings& settings) {
            return make_executor(job_.model.network, settings);
        };
        surroundings.release_caches = [] { release_caches(); };
        surroundings.pressure = [this] { return watch_.monitor().level(); };
        surroundings.tell = [this](const BackOff& back_off) { watch_.back_off(back_off); };
        return surroundings;
    }

    [[nodiscard]] std::vector<StageGroup> join(std::vector<Stage*> before, std::vector<Stage*> behind,
                                               EncodeStage& encode) {
        const MemoryChoice& memory = job_.memory;
        if (memory.joining == Joining::fused) {
            before.push_back(&enhance_);
            before.insert(before.end(), behind.begin(), behind.end());
            return {{std::move(before), memory.picture_queue}, {{&encode}, memory.result_queue}};
        }
        return {{std::move(before), memory.picture_queue},
                {{&enhance_}, memory.input_queue},
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

    void count_files(const Report& report) {
        const Options& options = job_.plan.options;
        watch_.files().count(options.input, decoder_.statistics().bytes_read + output_.statistics().bytes_read, 0);
        watch_.files().count(partial_path(options.output), 0, report.output_bytes);
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
    Observer& observer_;
    RunWatch& watch_;
    std::stop_token stop_;
    PartialFile partial_;
    LiveFrames live_;
    EnhanceStage enhance_;
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

// A run that has failed still gets its reports. Called with its failure in flight, which stays the one that is told.
void report_failure(RunWatch& watch, const Plan& plan, Observer& observer) {
    try {
        Report report = watch.failed(plan, std::current_exception());
        write_reports(report);
    } catch (const Error& error) {
        observer.on_message(Severity::warning, std::string("there is no report: ") + error.what());
    }
}

}   // namespace

Plan make_plan(const Options& options) {
    return prepare(options).plan;
}

Report enhance(const Options& options, Observer* observer, std::stop_token stop) {
    Observer silent;
    Observer& watcher = observer == nullptr ? silent : *observer;
    check_report_paths(options);
    PreparedJob job = prepare(options);
    const Plan plan = job.plan;
    RunWatch watch(job, watcher);
    watcher.on_plan(plan);
    Report report;
    try {
        report = Run(std::move(job), watcher, watch, stop).execute();
        if (options.verify) {
            watcher.on_message(Severity::info, "comparing the output with its source");
            report.verification = verify({.input = options.input,
                                          .output = options.output,
                                          .video_stream = options.video_stream,
                                          .left_out = left_out(report.plan)},
                                         &watcher, std::move(stop));
        }
    } catch (...) {
        report_failure(watch, plan, watcher);
        throw;
    }
    write_reports(report);
    return report;
}

}   // namespace millstream
