#include "pipeline/checkpoint.h"

#include <sys/stat.h>

#include <fstream>
#include <span>
#include <stdexcept>
#include <system_error>

#include "base/bytes.h"
#include "base/sha256.h"
#include "millstream/error.h"
#include "millstream/job.h"
#include "pipeline/chunks.h"
#include "pipeline/json_types.h"

namespace millstream {

MILLSTREAM_JSON_FIELDS_BOTH_WAYS(TrackState, first_dts, first_pts, last_dts, rescaling, shown_last, end, late);
MILLSTREAM_JSON_FIELDS_BOTH_WAYS(CopiedState, packets, last_dts, last_bytes, last_check);
MILLSTREAM_JSON_FIELDS_BOTH_WAYS(OutputState, frames, bytes, pieces, complete, first_pts, last_pts, last_duration,
                                 last_dts_index, video_bytes, level, parameter_sets, tracks, copied, copies_repaired,
                                 copied_packets, repaired_packets, damaged_packets);
MILLSTREAM_JSON_FIELDS_BOTH_WAYS(SourceIdentity, bytes, modified_ns, ends_sha256);
MILLSTREAM_JSON_FIELDS_BOTH_WAYS(ResolvedJob, backend, precision, int8, halo, blend, tile_width, tile_height, reuse,
                                 temporal, encoder, pixel_format, width, height, preset, encoder_threads, lookahead,
                                 references, b_frames, chunk_frames, index_bytes);
MILLSTREAM_JSON_FIELDS_BOTH_WAYS(ChunkRate, crf, max_rate, max_buffer);
MILLSTREAM_JSON_FIELDS_BOTH_WAYS(GovernorState, seconds, natural_bytes, last_crf);

namespace {

constexpr std::size_t kMostBytes = 64 * kKiB;
constexpr int kDeepest = 16;   // what is written has six levels; reading and comparing deeper ones takes stack
constexpr const char* kFormat = "millstream checkpoint";
constexpr const char* kStartAgain = "To throw it away and start again give --resume never";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why, const char* hint = kStartAgain) {
    throw Error(ErrorKind::refused, {"reading the checkpoint", path.string(), why, hint});
}

// A program that the file is not meant for must not misread it: what it holds is checked as a whole.
std::string seal(const Json& content) {
    const std::string text = json_text(content);
    return sha256_of(std::as_bytes(std::span(text)));
}

std::string part_of(std::ifstream& file, std::uint64_t offset, std::size_t count) {
    std::string bytes(count, '\0');
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(bytes.data(), static_cast<std::streamsize>(count));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    file.clear();
    return bytes;
}

Json to_content(const Checkpoint& checkpoint) {
    Json content;
    content["program"] = checkpoint.program;
    content["input"] = checkpoint.input.string();
    content["asked"] = Json::parse(checkpoint.asked);
    content["filtered"] = checkpoint.filtered;
    content["model_sha256"] = checkpoint.model_sha256;
    content["source"] = checkpoint.source;
    content["resolved"] = checkpoint.resolved;
    content["output"] = checkpoint.output;
    content["last_frame_sha256"] = checkpoint.last_frame_sha256;
    content["source_repaired"] = checkpoint.source_repaired;
    content["rate"] = checkpoint.rate;
    content["governor"] = checkpoint.governor;
    content["done_s"] = checkpoint.done_s;
    content["written_other"] = checkpoint.written_other;
    return content;
}

Checkpoint from_content(const Json& content) {
    Checkpoint checkpoint;
    const auto read = [&content](const char* name, auto& field) { read_value(content.at(name), field); };
    std::string input;
    read("program", checkpoint.program);
    read("input", input);
    checkpoint.input = input;
    checkpoint.asked = json_text(content.at("asked"));
    read("filtered", checkpoint.filtered);
    read("model_sha256", checkpoint.model_sha256);
    read("source", checkpoint.source);
    read("resolved", checkpoint.resolved);
    read("output", checkpoint.output);
    read("last_frame_sha256", checkpoint.last_frame_sha256);
    read("source_repaired", checkpoint.source_repaired);
    read("rate", checkpoint.rate);
    read("governor", checkpoint.governor);
    read("done_s", checkpoint.done_s);
    read("written_other", checkpoint.written_other);
    return checkpoint;
}

// What is counted with must be a count.
bool can_be(const Checkpoint& checkpoint) {
    return checkpoint.output.frames >= 0 && checkpoint.output.pieces >= 0 &&
           checkpoint.resolved.chunk_frames >= Chunks::kShortest;
}

Json parse(std::string_view text, const std::filesystem::path& path) {
    if (text.empty() || text.size() > kMostBytes) {
        refuse(path, "it cannot be read, or is damaged");
    }
    const auto shallow = [&path](int depth, Json::parse_event_t /*event*/, Json& /*value*/) {
        if (depth > kDeepest) {
            refuse(path, "it is damaged");
        }
        return true;
    };
    Json whole = Json::parse(text, shallow, false);
    if (!whole.is_object()) {   // discarded where it is no JSON
        refuse(path, "it cannot be read, or is damaged");
    }
    return whole;
}

Json with_head(const char* key, const Json& value) {
    Json whole;
    whole["format"] = kFormat;
    whole["version"] = Checkpoint::kVersion;
    whole[key] = value;
    return whole;
}

Json sealed(const Json& content) {
    Json whole = with_head("content", content);
    whole["sha256"] = seal(content);
    return whole;
}

}   // namespace

SourceIdentity identify(const std::filesystem::path& source) {
    constexpr std::size_t kEnd = kMiB;
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    SourceIdentity identity;
    struct stat status {};
    std::ifstream file(source, std::ios::binary);
    if (!file || stat(source.c_str(), &status) != 0) {
        throw Error(ErrorKind::input, {"opening the input", source.string(), std::generic_category().message(errno),
                                       "Check the name and its permissions"});
    }
    identity.bytes = static_cast<std::uint64_t>(status.st_size);
    identity.modified_ns = status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec;
    const std::uint64_t last = identity.bytes > kEnd ? identity.bytes - kEnd : 0;
    const std::string ends = part_of(file, 0, kEnd) + part_of(file, last, kEnd);
    identity.ends_sha256 = sha256_of(std::as_bytes(std::span(ends)));
    return identity;
}

std::string asked_for(const Options& options) {
    Json asked = Json::parse(to_json(options));
    // Where things are, how fast and in how much memory it goes, and what is done with it afterwards.
    for (const char* free : {"input", "output", "overwrite", "device", "tile", "batch", "threads", "max_memory",
                             "max_vram", "disk_limit", "runner", "verify", "resume", "release", "elevated_pressure",
                             "critical_pressure", "strict_io", "reports", "metrics_file"}) {
        asked.erase(free);
    }
    return json_text(asked);
}

void write_checkpoint(FileCalls& files, const std::filesystem::path& path, const Checkpoint& checkpoint) {
    const Json whole = sealed(to_content(checkpoint));
    std::string text = json_text(whole, 1) + "\n";
    if (text.size() > kMostBytes) {   // hundreds of streams
        text = json_text(whole);
    }
    if (text.size() > kMostBytes) {
        throw Error(ErrorKind::refused, {"writing the checkpoint", path.string(),
                                         "it would take " + format_bytes(text.size()) + ", " +
                                             format_bytes(kMostBytes) + " are allowed: too many streams",
                                         "Carry fewer over: --audio, --subtitles"});
    }
    replace_file(files, path, text);
}

std::string sealed_text(std::string_view content) {
    return json_text(sealed(parse(content, "")));
}

std::string begun_text() {
    return json_text(with_head("begun", true), 1) + "\n";
}

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path) {
    std::error_code failed;
    if (!std::filesystem::exists(path, failed)) {
        return std::nullopt;
    }
    std::ifstream file(path, std::ios::binary);
    return parse_checkpoint(file ? part_of(file, 0, kMostBytes + 1) : std::string(), path);
}

std::optional<Checkpoint> parse_checkpoint(std::string_view text, const std::filesystem::path& path) {
    const Json whole = parse(text, path);
    if (!whole.contains("format") || whole.at("format") != kFormat) {
        refuse(path, "it is no checkpoint of Millstream's", "Choose another output, or move that file away");
    }
    if (!whole.contains("version") || whole.at("version") != Checkpoint::kVersion) {
        refuse(path, "another version of Millstream has written it",
               "Finish the job with that version, or start again with --resume never");
    }
    if (whole.contains("begun")) {
        return std::nullopt;
    }
    try {
        const Json& content = whole.at("content");
        if (whole.at("sha256").get<std::string>() != seal(content)) {
            refuse(path, "it is damaged, or was changed by hand");
        }
        Checkpoint checkpoint = from_content(content);
        if (!can_be(checkpoint)) {
            refuse(path, "it is damaged");
        }
        return checkpoint;
    } catch (const nlohmann::json::exception&) {   // one of them is of another type, or not there
        refuse(path, "it is damaged");
    } catch (const std::out_of_range&) {
        refuse(path, "it is damaged");
    }
}

}   // namespace millstream
