#include "millstream/job.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/counted.h"
#include "base/file.h"
#include "media/decoder.h"
#include "media/output.h"
#include "millstream/error.h"
#include "millstream/filter.h"
#include "millstream/verify.h"
#include "pipeline/chunk_plan.h"
#include "pipeline/chunks.h"
#include "pipeline/committer.h"
#include "pipeline/device_path.h"
#include "pipeline/filter_stage.h"
#include "pipeline/job.h"
#include "pipeline/leftovers.h"
#include "pipeline/output_checks.h"
#include "pipeline/plan_words.h"
#include "pipeline/planner.h"
#include "pipeline/progress.h"
#include "pipeline/report_figures.h"
#include "pipeline/report_file.h"
#include "pipeline/resume.h"
#include "pipeline/run_watch.h"
#include "pipeline/runner.h"
#include "pipeline/shortage.h"
#include "pipeline/stages.h"
#include "pipeline/temporal_stages.h"

namespace millstream {
namespace {

DecoderSettings decoder_settings(const PreparedJob& job) {
    return {.threads = job.plan.decoder_threads,
            .hwaccel = job.plan.options.hwaccel,
            .strict = job.plan.options.strict,
            .deinterlacing = job.deinterlacing,
            .crop = job.crop};
}

DecodeStart decode_start(const PreparedJob& job) {
    if (!job.checkpoint) {
        return {};
    }
    const bool looks_back = job.plan.temporal != TemporalPreset::off || job.plan.reuse != Reuse::off;
    return find_decode_start(job.source, decoder_settings(job), *job.checkpoint, looks_back ? Chunks::kWarmUp : 0);
}

DecoderSettings decoder_settings(const PreparedJob& job, const DecodeStart& start) {
    DecoderSettings settings = decoder_settings(job);
    settings.start_s = start.seconds;
    settings.stay = place_of_decoding(job);
    return settings;
}

EncoderSettings at_rate(EncoderSettings settings, const ChunkRate& rate) {
    settings.crf = rate.crf;
    settings.max_rate = rate.max_rate;
    settings.max_buffer = rate.max_buffer;
    return settings;
}

std::shared_ptr<DevicePictures> encoders_surfaces(const PreparedJob& job) {
    const std::optional<DevicePlace> place = place_of_encoding(job);
    return place ? std::make_shared<DevicePictures>(*place, job.encoder) : nullptr;
}

OutputSpec output_spec(const PreparedJob& job, FileCalls& files, std::shared_ptr<DevicePictures> surfaces) {
    OutputSpec spec{.path = partial_path(job.plan.options.output),
                    .container = job.plan.container,
                    .encoder = at_rate(job.encoder, ChunkCommitter::first_rate(job)),
                    .surfaces = std::move(surfaces),
                    .carried = job.carried,
                    .index_bytes = job.index_bytes,
                    .checkpoint = checkpoint_path(job.plan.options.output),
                    .begun = begun_text(),
                    .files = &files};
    if (job.checkpoint) {
        spec.resume = job.checkpoint->output;
    }
    return spec;
}

std::optional<DeviceTraffic> traffic_of(const std::vector<std::shared_ptr<DeviceLink>>& links) {
    if (links.empty()) {
        return std::nullopt;
    }
    DeviceTraffic sum;
    for (const auto& link : links) {
        const LinkTraffic& traffic = link->traffic();
        sum.uploads += traffic.uploads.load();
        sum.uploaded_bytes += traffic.uploaded_bytes.load();
        sum.downloads += traffic.downloads.load();
        sum.downloaded_bytes += traffic.downloaded_bytes.load();
        sum.synchronisations += traffic.synchronisations.load();
    }
    return sum;
}

// Everything one run needs, built from a prepared job in the order frames pass it.
class Run {
public:
    Run(PreparedJob job, FrameFilter* filter, Observer& observer, RunWatch& watch, std::stop_token stop)
        : job_(std::move(job)),
          filter_(filter),
          observer_(observer),
          watch_(watch),
          files_(watch.file_calls()),
          leftovers_(files_, job_.plan.options.output),
          stop_(std::move(stop)),
          link_(stays_on_device(job_) ? job_.executor.links.front() : nullptr),
          source_(job_.checkpoint ? job_.checkpoint->source : identify(job_.plan.options.input)),
          enhance_(enhance_settings(), enhance_surroundings(), stop_),
          start_(decode_start(job_)),
          decoder_(job_.source, decoder_settings(job_, start_)),
          surfaces_(encoders_surfaces(job_)),
          output_(output_spec(job_, files_, surfaces_), job_.source),
          committer_(job_, source_, output_, files_) {}

    // `report` gets what is known of the run, also where it throws.
    void execute(Report& report) {
        try {
            try {
                run_to_the_end(report);
            } catch (...) {
                take_stock(report);
                throw_shortage("running the job", job_.source.path.string());
            }
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::difference) {
                leftovers_.discard();   // of --strict and --strict-io: the same would be found again
                throw;
            }
            if (committer_.committed_frames() > 0) {
                throw explained(error);
            }
            throw;
        }
    }

private:
    void run_to_the_end(Report& report) {
        const bool only_index_missing = job_.checkpoint && job_.checkpoint->output.complete;
        if (!only_index_missing) {
            run_stages(report);
            if (stop_.stop_requested()) {
                const bool nothing = committer_.committed_frames() == 0;
                throw Error(
                    ErrorKind::interrupted,
                    {"stopped on request", "", nothing ? "before the first checkpoint: nothing is left" : "", ""});
            }
            if (output_.statistics().frames == 0 && committer_.committed_frames() == 0 && !took_any_frame()) {
                throw Error(ErrorKind::input,
                            {"decoding the video", job_.source.path.string(), "not a single frame could be decoded",
                             "The file is damaged beyond repair"});
            }
            committer_.end();
        }
        const OutputStatistics written = output_.finish();
        take_stock(report);
        report.frames = written.frames;
        report.output_bytes = written.bytes;
        add_output_warnings(report, written);
        watch_.files().count_read(report.plan.options.input, decoder_.statistics().bytes_read + written.bytes_read);
        watch_.fill(report);
        if (report.plan.options.strict_io) {
            require_expected(report.files, report.disk);
        }
        const auto& output = job_.plan.options.output;
        rename_file(files_, partial_path(output), output);
        remove_file(files_, checkpoint_path(output));
        report.outcome = "done";
    }

    // What the parts of the run say of themselves, whatever has become of it.
    void take_stock(Report& report) const {
        const OutputStatistics& written = output_.statistics();
        report.frames = encoded_.frames.load();
        report.output_bytes = written.bytes;
        report.resumed_frames = job_.checkpoint ? job_.checkpoint->output.frames : 0;
        report.input_bytes = job_.source.bytes;
        report.model_loads = model_load_count() - job_.loads_before;
        report.peak_live_frames = live_.peak();
        report.checkpoints = committer_.checkpoints();
        report.chunk_crf = committer_.crfs();
        report.precision = words(enhance_.precision());
        if (job_.plan.reuse != Reuse::off) {
            report.reuse = reuse_report(enhance_.reuse_counts(), enhance_.network_s());
        }
        add_decode_warnings(report);
        report.device_traffic = traffic_of(job_.executor.links);
        report.plan.notes = job_.plan.notes;
        if (place_of_decoding(job_)) {
            report.plan.notes.push_back(std::to_string(decoder_.statistics().on_device) + " of " +
                                        std::to_string(decoder_.statistics().frames) +
                                        " decoded frames have stayed on the device.");
        }
        watch_.files().count_read(job_.plan.options.input, decoder_.statistics().bytes_read + written.bytes_read);
    }

    [[nodiscard]] bool took_any_frame() const { return encoded_.frames.load() > 0; }

    // What is there, and how to go on.
    [[nodiscard]] Error explained(const Error& error) const {
        Error::Context context = error.context();
        const auto& output = job_.plan.options.output;
        const std::string kept = std::to_string(committer_.committed_frames()) + " frames are in " +
                                 partial_path(output).string() + ", which is playable";
        context.why += (context.why.empty() ? "" : "; ") + kept;
        const std::string next = job_.filtered
                                     ? "The same call starts again, because nobody knows what its filter remembers"
                                     : "The same command goes on from there";
        context.hint +=
            (context.hint.empty() ? "" : ". ") + next + "; `millstream clean " + output.string() + "` removes it";
        return {error.kind(), std::move(context)};
    }

    void run_stages(Report& report) {
        const Network& network = job_.model->network;
        const VideoStreamInfo& video = *job_.source.video().video;
        const Size input{video.width, video.height};
        const Chunks chunks(job_.chunk_frames);
        const std::int64_t done = committer_.committed_frames();
        DecodeSource source(decoder_, live_, chunks, start_, done, stop_);
        ToTensorStage to_tensor(video.format, video.width, video.height, keeps_alpha(job_), link_);
        const Options& options = job_.plan.options;
        const bool fixes_colours = options.colour_fix != ColourFixing::off;
        ColourFixStage fix_colours(network.scale);
        ToPictureStage to_picture({input.width * network.scale, input.height * network.scale}, job_.encoder, link_,
                                  surfaces_ ? [this] { return surfaces_->take(); } : std::function<Picture()>());
        MotionStage motion(options.temporal_flow, temporal_threads());
        TemporalStage temporal(job_.plan.temporal, options.debug_view, temporal_threads(), chunks,
                               temporal_memory(options.debug_view, input, network.scale, true).history);
        EncodeStage encode(output_, committer_, chunks, encoded_);
        if (done > 0) {
            encoded_.frames.store(done);
            observer_.on_message(Severity::info, "resumed at frame " + std::to_string(done));
        }

        ProgressReporter progress(job_, encoded_, watch_, observer_);
        const auto tick = [&progress] { progress.tick(); };
        std::vector<Stage*> before{&to_tensor};
        std::vector<Stage*> behind;
        if (fixes_colours) {
            behind.push_back(&fix_colours);
        }
        if (job_.plan.temporal != TemporalPreset::off) {
            before.push_back(&motion);
            behind.push_back(&temporal);
        }
        std::optional<FilterStage> filter;
        if (filter_ != nullptr) {
            behind.push_back(&filter.emplace(*filter_, job_.plan.temporal != TemporalPreset::off));
        }
        behind.push_back(&to_picture);
        const auto groups = join(std::move(before), std::move(behind), encode);
        const bool serial = options.runner == Runner::serial;
        report.stages = serial ? run_serial(source, groups, tick)
                               : run_threaded(source, groups, tick, &enhance_.short_queues(), &report.stages);
        progress.finish();
        const auto frames = std::max<std::int64_t>(1, encoded_.frames.load() - done);
        const double filter_copies = filter ? static_cast<double>(filter->copies()) : 0;
        report.copies_per_frame = (enhance_.copies() + filter_copies) / static_cast<double>(frames);
    }

    [[nodiscard]] EnhanceStage::Settings enhance_settings() const {
        const Options& options = job_.plan.options;
        const VideoStreamInfo& video = *job_.source.video().video;
        EnhanceStage::Settings settings;
        settings.enhancer.executor = job_.executor;
        settings.enhancer.scale = job_.model->network.scale;
        settings.enhancer.frame = {video.width, video.height};
        settings.enhancer.layout = {job_.memory.layout.tile, job_.memory.halo, job_.memory.blend,
                                    job_.memory.layout.alignment};
        settings.enhancer.may_lower_precision = options.precision == Precision::automatic;
        settings.enhancer.release_every_frame = releases_every_frame(options);
        settings.link = link_;
        settings.frames_in_flight = job_.memory.frames_in_flight;
        if (job_.plan.reuse != Reuse::off) {
            const Network& network = job_.model->network;
            settings.reuse = reuse_settings(job_.plan.reuse, network, job_.plan.tiles_exact, job_.executor.precision);
            settings.enhancer.executor.any_shape = true;
            if (settings.enhancer.layout.tile == settings.enhancer.frame && !link_) {   // its requests share one device
                settings.strips = strips_for(job_.executor.requests, settings.enhancer.frame, settings.reuse->reach);
                settings.enhancer.executor.waiting = kWaitingAreas * job_.executor.requests;
            }
        }
        if (job_.plan.temporal == TemporalPreset::off) {
            settings.find_motion = options.temporal_flow;
        }
        settings.chunk_frames = job_.chunk_frames;
        settings.keep_input = options.colour_fix != ColourFixing::off;
        return settings;
    }

    SteadyEnhancer::Surroundings enhance_surroundings() {
        SteadyEnhancer::Surroundings surroundings;
        surroundings.make_executor = [this](const ExecutorSettings& settings) {
            return make_executor(job_.model->network, settings);
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
        report.repairs.copied_packets_damaged = written.damaged_packets;
        const auto warn = [&](std::int64_t count, const char* one, const char* several, const char* what) {
            if (count > 0) {
                report.warnings.push_back(counted(count, one, several) + what);
            }
        };
        warn(written.repaired_packets, "packet of copied streams had no time stamp or went backwards, and was",
             "packets of copied streams had no time stamp or went backwards, and were", " moved");
        warn(written.damaged_packets, "packet of copied streams was", "packets of copied streams were",
             " damaged: carried over as they are, or left out where that cannot be");
        if (job_.plan.options.strict && !report.warnings.empty()) {
            throw Error(ErrorKind::difference, {"copying streams", job_.source.path.string(), report.warnings.front(),
                                                "Without --strict it is repaired and counted"});
        }
        if (job_.index_bytes > 0 && !written.index_in_front) {
            report.warnings.emplace_back("the index is larger than predicted and stays at the end of the file");
        }
        if (std::string cost = lowered_quality(job_.encoder.crf, report.chunk_crf); !cost.empty()) {
            report.warnings.push_back(std::move(cost));
        }
    }

    PreparedJob job_;
    FrameFilter* filter_;   // none: nullptr
    Observer& observer_;
    RunWatch& watch_;
    FileCalls& files_;
    Leftovers leftovers_;   // before output_, which holds OUT.part locked
    std::stop_token stop_;
    std::shared_ptr<DeviceLink> link_;   // frames stay on that device; null = tensors are in the host's memory
    SourceIdentity source_;
    LiveFrames live_;
    EncodeProgress encoded_;
    EnhanceStage enhance_;
    DecodeStart start_;
    VideoDecoder decoder_;
    std::shared_ptr<DevicePictures> surfaces_;   // that the encoder reads; null = pictures are in the host's memory
    VideoOutput output_;
    ChunkCommitter committer_;
};

// What the plan has said would not be in the output is no difference.
VerifyOptions verification_of(const PreparedJob& job) {
    const Options& asked = job.plan.options;
    VerifyOptions options;
    options.input = asked.input;
    options.output = asked.output;
    options.video_stream = asked.video_stream;
    options.convert_subtitles = asked.convert_subtitles;
    options.turned = asked.bake_rotation;
    // Only x264 codes fields so that decoders tell; others leave it to the container.
    options.fields_kept = job.encoder.field_order != FieldOrder::progressive && job.encoder.encoder == "libx264";
    options.pixel_format = job.encoder.pixel_format_name;
    for (const StreamPlan& stream : job.plan.streams) {
        if (stream.action == "drop") {
            options.left_out.push_back(stream.index);
        }
    }
    return options;
}

// A run that has failed still gets its reports. Called with its failure in flight, which stays the one that is told.
void report_failure(RunWatch& watch, Report& report, Observer& observer) {
    try {
        watch.fail(report, std::current_exception());
        write_reports(watch.file_calls(), report);
    } catch (const Error& error) {
        observer.on_message(Severity::warning, std::string("there is no report: ") + error.what());
    }
}

Report run_job(ModelShelf& models, FileCalls& files, const Options& options, FrameFilter* filter, Observer* observer,
               std::stop_token stop) {
    Observer silent;
    Observer& watcher = observer == nullptr ? silent : *observer;
    check_report_paths(options);
    remove_finished_checkpoint(files, options.output);
    RunStart start;
    PreparedJob job = prepare(options, models, watcher, stop, filter != nullptr);
    const VerifyOptions verification = verification_of(job);
    RunWatch watch(start, job, files, watcher);
    watcher.on_plan(job.plan);
    Report report;
    report.plan = job.plan;
    try {
        Run(std::move(job), filter, watcher, watch, stop).execute(report);
        if (options.verify) {
            watcher.on_message(Severity::info, "comparing the output with its source");
            report.verification = verify(verification, &watcher, std::move(stop));
        }
    } catch (...) {
        report_failure(watch, report, watcher);
        throw;
    }
    write_reports(watch.file_calls(), report);
    return report;
}

}   // namespace

Plan make_plan(const Options& options) {
    return prepare(options).plan;
}

Report enhance(const Options& options, Observer* observer, std::stop_token stop) {
    return enhance_through(system_files(), options, observer, std::move(stop));
}

Report enhance(const Options& options, FrameFilter& filter, Observer* observer, std::stop_token stop) {
    ModelShelf models;
    return run_job(models, system_files(), options, &filter, observer, std::move(stop));
}

Report enhance_through(FileCalls& files, const Options& options, Observer* observer, std::stop_token stop) {
    ModelShelf models;
    return enhance_with(models, files, options, observer, std::move(stop));
}

Report enhance_with(ModelShelf& models, FileCalls& files, const Options& options, Observer* observer,
                    std::stop_token stop) {
    return run_job(models, files, options, nullptr, observer, std::move(stop));
}

}   // namespace millstream
