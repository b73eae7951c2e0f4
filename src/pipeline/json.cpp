// Plans and reports as JSON: one list of field names a struct, the names of the structs' own members.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "millstream/job.h"
#include "pipeline/plan_words.h"

namespace nlohmann {

template <class T>
struct adl_serializer<std::optional<T>> {
    template <class Json>
    static void to_json(Json& target, const std::optional<T>& value) {
        target = value ? Json(*value) : Json(nullptr);
    }
};

template <>
struct adl_serializer<std::filesystem::path> {
    template <class Json>
    static void to_json(Json& target, const std::filesystem::path& path) {
        target = path.string();
    }
};

}   // namespace nlohmann

namespace millstream {

using Json = nlohmann::ordered_json;   // fields in the order of the struct

#define MILLSTREAM_JSON_FIELDS(Type, ...)                                        \
    static void to_json(Json& nlohmann_json_j, const Type& nlohmann_json_t) {    \
        NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__)) \
    }                                                                            \
    static_assert(true, "takes the semicolon")

static void to_json(Json& target, Backend backend) {
    target = words(backend);
}
static void to_json(Json& target, Precision precision) {
    target = words(precision);
}
static void to_json(Json& target, Runner runner) {
    target = runner == Runner::serial ? "serial" : "threaded";
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

MILLSTREAM_JSON_FIELDS(Size, width, height);
MILLSTREAM_JSON_FIELDS(Options, input, output, overwrite, model, scale, size, backend, precision, tile, batch, threads,
                       max_memory, max_vram, disk_limit, codec, encoder, crf, preset, encoder_options, hwaccel,
                       video_stream, audio, subtitles, convert_subtitles, pixel_format, bake_rotation, faststart,
                       strict, runner);
MILLSTREAM_JSON_FIELDS(StreamPlan, index, kind, codec, language, action, reason);
MILLSTREAM_JSON_FIELDS(MemoryPlan, budget, base, decoder, network, frames, encoder);
MILLSTREAM_JSON_FIELDS(DiskPlan, predicted_output, checkpoint, free, allowed);
MILLSTREAM_JSON_FIELDS(Plan, options, input_container, input_size, input_pixel_format, input_colour, frame_rate, frames,
                       duration_s, streams, chapters, model, model_file, model_scale, receptive_radius, device, backend,
                       precision, tile, tiles_per_frame, halo, tiles_exact, batch, threads, container, output_size,
                       encoder, output_pixel_format, output_colour, crf, preset, encoder_threads, lookahead,
                       encoder_options, live_frames, queue_bytes, memory, disk, notes);
MILLSTREAM_JSON_FIELDS(StageTime, name, busy_s, wait_input_s, wait_output_s);
MILLSTREAM_JSON_FIELDS(Repairs, damaged_packets, concealed_frames, missing_pts, repeated_pts, backward_pts, clock_jumps,
                       resized_frames, copied_time_stamps, copied_packets_lost);
MILLSTREAM_JSON_FIELDS(Report, plan, frames, wall_s, fps_mean, peak_rss_bytes, peak_vram_bytes, input_bytes,
                       output_bytes, stages, warnings, model_loads, peak_live_frames, repairs, decode_errors,
                       copies_per_frame);

std::string to_json(const Plan& plan) {
    return Json(plan).dump(2);
}
std::string to_json(const Report& report) {
    return Json(report).dump(2);
}

}   // namespace millstream
