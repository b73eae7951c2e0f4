// Plans and reports as JSON: one list of field names a struct, the names of the structs' own members.
#include <string>

#include "millstream/batch.h"
#include "millstream/job.h"
#include "pipeline/json_types.h"
#include "pipeline/plan_words.h"

namespace millstream {

static void to_json(Json& target, Backend backend) {
    target = words(backend);
}
static void to_json(Json& target, Precision precision) {
    target = words(precision);
}
static void to_json(Json& target, ColourFixing fixing) {
    target = fixing == ColourFixing::off ? "off" : "lowpass";
}
static void to_json(Json& target, Alpha alpha) {
    target = alpha == Alpha::drop ? "drop" : alpha == Alpha::require ? "require" : "auto";
}
static void to_json(Json& target, const Crop& crop) {
    switch (crop.kind) {
        case Crop::Kind::off:
            target = "off";
            break;
        case Crop::Kind::automatic:
            target = "auto";
            break;
        case Crop::Kind::rectangle:
            target = {{"width", crop.width}, {"height", crop.height}, {"x", crop.x}, {"y", crop.y}};
            break;
    }
}
static void to_json(Json& target, Deinterlace wish) {
    switch (wish) {
        case Deinterlace::automatic:
            target = "auto";
            break;
        case Deinterlace::off:
            target = "off";
            break;
        case Deinterlace::on:
            target = "on";
            break;
        case Deinterlace::fields:
            target = "field";
            break;
    }
}
static void to_json(Json& target, Runner runner) {
    target = runner == Runner::serial ? "serial" : "threaded";
}
static void to_json(Json& target, Reuse reuse) {
    target = words(reuse);
}
static void to_json(Json& target, TemporalPreset preset) {
    target = words(preset);
}
static void to_json(Json& target, FlowQuality quality) {
    target = words(quality);
}
static void to_json(Json& target, DebugView view) {
    target = words(view);
}
static void to_json(Json& target, const DiskLimit& limit) {
    switch (limit.kind) {
        case DiskLimit::Kind::percent:
            target = {{"percent", limit.percent}};
            break;
        case DiskLimit::Kind::bytes:
            target = {{"bytes", limit.bytes}};
            break;
        case DiskLimit::Kind::none:
            target = nullptr;
            break;
    }
}

static void to_json(Json& target, const TotalLimit& limit) {
    switch (limit.kind) {
        case TotalLimit::Kind::ratio:
            target = {{"ratio", limit.ratio}};
            break;
        case TotalLimit::Kind::bytes:
            target = {{"bytes", limit.bytes}};
            break;
        case TotalLimit::Kind::none:
            target = nullptr;
            break;
    }
}
static void to_json(Json& target, const ChunkLength& length) {
    switch (length.kind) {
        case ChunkLength::Kind::automatic:
            target = "auto";
            break;
        case ChunkLength::Kind::seconds:
            target = {{"seconds", length.seconds}};
            break;
        case ChunkLength::Kind::frames:
            target = {{"frames", length.frames}};
            break;
    }
}
static void to_json(Json& target, Resume resume) {
    target = resume == Resume::never ? "never" : resume == Resume::require ? "require" : "auto";
}

static void to_json(Json& target, const StreamSelection& selection) {
    switch (selection.kind) {
        case StreamSelection::Kind::all:
            target = "all";
            break;
        case StreamSelection::Kind::none:
            target = "none";
            break;
        case StreamSelection::Kind::chosen:
            target = selection.indices;
            break;
    }
}

static void to_json(Json& target, ReleasePolicy policy) {
    target = policy == ReleasePolicy::every_frame   ? "every_frame"
             : policy == ReleasePolicy::on_pressure ? "on_pressure"
                                                    : "auto";
}

MILLSTREAM_JSON_FIELDS(Size, width, height);
MILLSTREAM_JSON_FIELDS(Options, input, output, overwrite, model, scale, size, fit, backend, precision, device, tile,
                       batch, threads, colour_fix, reuse, temporal, temporal_flow, debug_view, max_memory, max_vram,
                       disk_limit, max_total, chunk, resume, release, elevated_pressure, critical_pressure, strict_io,
                       reports, metrics_file, codec, encoder, crf, preset, encoder_options, pixel_format, bake_rotation,
                       faststart, strict, deinterlace, crop, alpha, hwaccel, video_stream, audio, subtitles,
                       convert_subtitles, verify, runner);
MILLSTREAM_JSON_FIELDS(StreamPlan, index, kind, codec, language, action, reason);
MILLSTREAM_JSON_FIELDS(MemoryPlan, budget, base, decoder, network, frames, temporal, reuse, encoder, vram, vram_budget);
MILLSTREAM_JSON_FIELDS(DiskPlan, predicted_output, checkpoint, free, allowed, most_output);
MILLSTREAM_JSON_FIELDS(Plan, options, input_container, input_size, input_pixel_format, input_colour, frame_rate, frames,
                       duration_s, streams, chapters, model, model_file, model_scale, receptive_radius, device,
                       device_name, backend, precision, tile, tiles_per_frame, halo, tiles_exact, batch, reuse,
                       temporal, threads, container, output_size, encoder, output_pixel_format, output_colour, crf,
                       preset, encoder_threads, lookahead, encoder_options, chunk_frames, chunk_wall_s, resumed_frames,
                       decoder_threads, live_frames, queue_bytes, memory, disk, notes);
MILLSTREAM_JSON_FIELDS(StageTime, name, busy_s, wait_input_s, wait_output_s);
static void to_json(Json& target, const VerifyReport& report) {
    target = Json::parse(to_json(report));
}
MILLSTREAM_JSON_FIELDS(Repairs, damaged_packets, concealed_frames, missing_pts, repeated_pts, backward_pts, clock_jumps,
                       resized_frames, copied_time_stamps, copied_packets_damaged);
MILLSTREAM_JSON_FIELDS(CurvePoint, time_s, frames, fps, cpu_cores, rss_bytes, rss_min_bytes, vram_bytes,
                       vram_min_bytes);
MILLSTREAM_JSON_FIELDS(ReuseReport, share_computed, whole_frames, checks, check_error_mean, check_error_worst,
                       tightened, time_saved_s);
MILLSTREAM_JSON_FIELDS(BackOff, frame, measure, from, to, why);
MILLSTREAM_JSON_FIELDS(FileIo, path, role, bytes_read, bytes_written);
MILLSTREAM_JSON_FIELDS(DiskTraffic, read_bytes, written_bytes, accounted_bytes, unexplained_bytes);
MILLSTREAM_JSON_FIELDS(DeviceTraffic, uploads, uploaded_bytes, downloads, downloaded_bytes, synchronisations);
MILLSTREAM_JSON_FIELDS(Bottleneck, stage, busy, words);
static void to_json(Json& target, const Failure& failure) {
    const Error::Context& context = failure.context;
    target = {{"exit_code", failure.exit_code},
              {"doing", context.doing},
              {"subject", context.subject},
              {"why", context.why},
              {"hint", context.hint}};
}
static Json versions_json(const std::vector<std::pair<std::string, std::string>>& versions) {
    Json object = Json::object();
    for (const auto& [name, version] : versions) {
        object[name] = version;
    }
    return object;
}
static void to_json(Json& nlohmann_json_j, const Report& nlohmann_json_t) {
    NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(
        NLOHMANN_JSON_TO, schema, outcome, failure, started, model, device, device_name, backend, precision, frames,
        resumed_frames, wall_s, fps_mean, fps_p50, fps_p99, peak_rss_bytes, mean_rss_bytes, peak_vram_bytes,
        mean_vram_bytes, cpu_s, energy_j, input_bytes, output_bytes, output_bits_per_pixel, bottleneck, stages,
        warnings, backoffs, reuse, checkpoints, chunk_crf, device_traffic, files, disk, model_loads, peak_live_frames,
        repairs, decode_errors, copies_per_frame, verification, plan, curve))
    nlohmann_json_j["versions"] = versions_json(nlohmann_json_t.versions);
}

std::string to_json(const Options& options) {
    return json_text(Json(options), 2);
}
std::string to_json(const Plan& plan) {
    return json_text(Json(plan), 2);
}
std::string to_json(const Report& report) {
    return json_text(Json(report), 2);
}

static Json failure_json(const std::optional<Error>& error) {
    return error ? Json(Failure{error->exit_code(), error->context()}) : Json(nullptr);
}

std::string to_json(const BatchReport& report) {
    Json batch{{"exit_code", report.exit_code()}, {"items", Json::array()}};
    for (const BatchItem& item : report.items) {
        const char* const outcome = item.outcome == BatchItem::Outcome::done     ? "done"
                                    : item.outcome == BatchItem::Outcome::exists ? "exists"
                                    : item.outcome == BatchItem::Outcome::failed ? "failed"
                                                                                 : "waiting";
        batch["items"].push_back({{"input", item.input.string()},
                                  {"output", item.output.string()},
                                  {"outcome", outcome},
                                  {"report", item.report ? Json(*item.report) : Json(nullptr)},
                                  {"error", failure_json(item.error)}});
    }
    return json_text(batch, 2);
}

}   // namespace millstream
