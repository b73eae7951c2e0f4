#include "pipeline/resume.h"

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "base/bytes.h"
#include "base/sha256.h"
#include "millstream/error.h"
#include "pipeline/calibration.h"
#include "pipeline/json_types.h"
#include "pipeline/output_checks.h"
#include "pipeline/plan_words.h"

namespace millstream {
namespace {

constexpr const char* kGoingOn = "going on with an interrupted job";
constexpr const char* kStartAgain =
    "Give the same options again to go on, or --resume never to throw away what is there and start again";

constexpr const char* kUnknownFilter = "nobody knows what it remembers of the frames that are done";

[[noreturn]] void refuse(const std::filesystem::path& subject, std::string why, const char* hint = kStartAgain) {
    throw Error(ErrorKind::refused, {kGoingOn, subject.string(), std::move(why), hint});
}

// "crf was 18, is 20; ..."
std::string differences(const Json& before, const Json& now) {
    std::string text;
    for (const auto& [key, value] : now.items()) {
        const Json old = before.contains(key) ? before.at(key) : Json(nullptr);
        if (old != value) {
            text += (text.empty() ? "" : "; ") + key + " was " + json_text(old) + ", is " + json_text(value);
        }
    }
    return text;
}

void check_source(const Checkpoint& checkpoint, const std::filesystem::path& input) {
    const SourceIdentity now = identify(input);
    const SourceIdentity& before = checkpoint.source;
    if (now == before) {
        return;
    }
    const char* what = now.bytes != before.bytes               ? "its size"
                       : now.ends_sha256 != before.ends_sha256 ? "its content"
                                                               : "the time of its last change";
    refuse(input, std::string("the input is not the one the job was begun with: ") + what + " differs");
}

// Note [Begun]
void check_is_ours(const std::filesystem::path& output) {
    const std::filesystem::path partial = partial_path(output);
    std::error_code none;
    const std::uintmax_t bytes = std::filesystem::file_size(partial, none);
    if (none || bytes == 0 || std::filesystem::exists(checkpoint_path(output), none)) {
        return;
    }
    throw Error(ErrorKind::refused,
                {"checking the output", partial.string(),
                 "it is there, holds " + format_bytes(bytes) +
                     " and has no checkpoint beside it: perhaps it is another program's",
                 "Choose another output, move that file away, or overwrite it with --resume never; `millstream clean " +
                     output.string() + "` removes it"});
}

// Pictures of a decoder that begins somewhere in the middle, compared with what the checkpoint knows.
bool leads_there(const SourceInfo& source, const DecoderSettings& settings, const Checkpoint& checkpoint,
                 std::int64_t first_pts) {
    constexpr int kBeforeDeinterlacing = 2;   // a picture is made of its neighbours' fields, too
    const std::vector<std::int64_t>& known = checkpoint.output.last_pts;
    auto expected = std::find(known.begin(), known.end(), first_pts);
    VideoDecoder decoder(source, settings);
    std::string last;
    int before = 0;
    while (expected != known.end()) {
        const std::optional<Picture> picture = decoder.next();
        if (!picture || decoder.statistics().repaired_pts > 0) {
            return false;
        }
        if (picture->pts < first_pts) {
            ++before;
            continue;
        }
        if (picture->pts != *expected) {
            return false;
        }
        ++expected;
        if (expected == known.end()) {
            last = hash_of(*picture);
        }
    }
    const bool enough = settings.deinterlacing.rate == DeinterlacedRate::none || before >= kBeforeDeinterlacing;
    return enough && last == checkpoint.last_frame_sha256;
}

}   // namespace

std::optional<Checkpoint> find_checkpoint(const Options& options, bool filtered) {
    const std::filesystem::path path = checkpoint_path(options.output);
    if (options.resume == Resume::never) {
        return std::nullopt;
    }
    if (options.resume == Resume::require && filtered) {
        refuse(path, std::string("the frames go through a filter of the caller's, and ") + kUnknownFilter,
               "Leave `resume` out to start");
    }
    std::optional<Checkpoint> checkpoint = read_checkpoint(path);
    if (!checkpoint) {
        if (options.resume == Resume::require) {
            refuse(path, "there is no checkpoint", "Leave --resume require out to start");
        }
        check_is_ours(options.output);
        return std::nullopt;
    }
    if (checkpoint->filtered != filtered) {
        refuse(path, std::string("the job was begun ") + (filtered ? "without" : "with") +
                         " a filter of the caller's (`process` in Python)");
    }
    if (filtered) {
        return std::nullopt;
    }
    std::error_code failed;
    if (!std::filesystem::exists(partial_path(options.output), failed)) {
        if (checkpoint->output.complete && std::filesystem::exists(options.output, failed)) {
            return std::nullopt;   // finished and renamed: the run ended before it could remove the checkpoint
        }
        refuse(path,
               "the checkpoint is there, but " + partial_path(options.output).string() + ", which it is about, is not");
    }
    const std::string differ = differences(Json::parse(checkpoint->asked), Json::parse(asked_for(options)));
    if (!differ.empty()) {
        refuse(path, "the job was begun with other options: " + differ);
    }
    check_source(*checkpoint, options.input);
    return checkpoint;
}

void check_nothing_is_lost(const Options& options) {
    if (options.resume == Resume::never) {
        return;
    }
    const std::filesystem::path path = checkpoint_path(options.output);
    std::error_code failed;
    if (read_checkpoint(path) && std::filesystem::exists(partial_path(options.output), failed)) {
        refuse(path, "there is an unfinished job for this output, which a writer of frames would overwrite",
               "Choose another output, or remove what is there: `millstream clean`");
    }
    check_is_ours(options.output);
}

ResolvedJob resolve(const PreparedJob& job) {
    ResolvedJob resolved;
    resolved.backend = words(job.executor.backend);
    resolved.precision = words(job.executor.precision);
    resolved.int8 = int8_digest(job.model->network);
    const TileLayout& layout = job.memory.layout;
    resolved.halo = layout.halo;
    resolved.blend = layout.blend;
    if (layout.halo < job.model->network.receptive_radius) {
        resolved.tile_width = layout.tile.width;
        resolved.tile_height = layout.tile.height;
    }
    resolved.reuse = words(job.plan.reuse);
    resolved.temporal = words(job.plan.temporal);
    const EncoderSettings& encoder = job.encoder;
    resolved.encoder = encoder.encoder;
    resolved.pixel_format = encoder.pixel_format_name;
    resolved.width = encoder.width;
    resolved.height = encoder.height;
    resolved.preset = encoder.preset;
    resolved.encoder_threads = encoder.threads;
    resolved.lookahead = encoder.lookahead;
    resolved.references = encoder.references;
    resolved.b_frames = encoder.b_frames;
    resolved.chunk_frames = job.chunk_frames;
    resolved.index_bytes = job.index_bytes;
    return resolved;
}

void check_resolved(const PreparedJob& job, const Checkpoint& checkpoint) {
    const std::filesystem::path path = checkpoint_path(job.plan.options.output);
    if (job.model->sha256 != checkpoint.model_sha256) {
        refuse(path, "the weights of " + job.model->name + " are not those it was begun with");
    }
    const ResolvedJob now = resolve(job);
    const ResolvedJob& before = checkpoint.resolved;
    std::string differ;
    const auto compare = [&](const char* name, const auto& old, const auto& value) {
        if (old != value) {
            differ += (differ.empty() ? "" : "; ") + std::string(name) + " was " + json_text(old) + ", would be " +
                      json_text(value);
        }
    };
    compare("backend", before.backend, now.backend);
    compare("precision", before.precision, now.precision);
    compare("8-bit ranges", before.int8, now.int8);
    compare("halo", before.halo, now.halo);
    compare("cross-fade", before.blend, now.blend);
    compare("tile width", before.tile_width, now.tile_width);
    compare("tile height", before.tile_height, now.tile_height);
    compare("reuse", before.reuse, now.reuse);
    compare("temporal", before.temporal, now.temporal);
    compare("encoder", before.encoder, now.encoder);
    compare("pixel format", before.pixel_format, now.pixel_format);
    compare("width", before.width, now.width);
    compare("height", before.height, now.height);
    compare("preset", before.preset, now.preset);
    if (!differ.empty()) {
        refuse(path, "on this machine, or with this version, it would go on otherwise than it began: " + differ);
    }
}

DecodeStart find_decode_start(const SourceInfo& source, DecoderSettings settings, const Checkpoint& checkpoint,
                              std::int64_t warm_up) {
    constexpr std::array<double, 4> kMargins_s{0, 1, 4, 16};
    const OutputState& done = checkpoint.output;
    DecodeStart start;
    start.first_index = std::max<std::int64_t>(done.frames - warm_up, 0);
    const auto known = static_cast<std::int64_t>(done.last_pts.size());
    // The last frame is looked at even where nothing is warmed up.
    const std::int64_t back = std::max<std::int64_t>(done.frames - start.first_index, 1);
    if (start.first_index == 0 || back > known || checkpoint.source_repaired) {
        return start;
    }
    const std::int64_t looked_at_pts = done.last_pts[static_cast<std::size_t>(known - back)];
    const double target_s =
        static_cast<double>(looked_at_pts) * source.video().time_base.value() - std::max(source.start_s, 0.0);
    for (const double margin : kMargins_s) {
        settings.start_s = target_s - margin;
        if (settings.start_s <= 0) {
            break;
        }
        if (leads_there(source, settings, checkpoint, looked_at_pts)) {
            start.seconds = settings.start_s;
            start.first_pts = start.first_index < done.frames ? looked_at_pts : looked_at_pts + 1;
            break;
        }
    }
    return start;
}

std::string hash_of(const Picture& picture) {
    Sha256 hash;
    for (int plane = 0; plane < picture.format.planes(); ++plane) {
        const Plane& samples = picture.planes[static_cast<std::size_t>(plane)];
        const auto bytes = static_cast<std::size_t>(picture.format.plane_width(plane, picture.width)) *
                           static_cast<std::size_t>(picture.format.bytes_per_sample());
        for (int row = 0; row < picture.format.plane_height(plane, picture.height); ++row) {
            hash.add({samples.data + row * samples.stride, bytes});
        }
    }
    return hash.hex();
}

}   // namespace millstream
