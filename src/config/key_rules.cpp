#include "config/key_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>
#include <vector>

namespace millstream {
namespace {

using Type = ValueKind::Type;

constexpr ValueKind kAny{Type::anything};
constexpr ValueKind kTruth{Type::truth};
constexpr ValueKind kText{Type::text};
constexpr ValueKind kSize{Type::size};
constexpr ValueKind whole(double smallest, double largest) {
    return {Type::whole, smallest, largest};
}
constexpr ValueKind number(double smallest, double largest) {
    return {Type::number, smallest, largest};
}
constexpr ValueKind choice(std::string_view words) {
    return {Type::choice, 0, 0, words};
}

constexpr ValueKind kMegabytes = whole(1, 16'777'216);
constexpr ValueKind kGpuMegabytes = whole(0, 16'777'216);
constexpr ValueKind kShare = number(0.1, 0.9);
constexpr ValueKind kTile = whole(64, 2048);
constexpr ValueKind kBatch = whole(1, 16);
constexpr ValueKind kUnit = number(0, 1);
constexpr std::string_view kQualities = "fast|balanced|high";
constexpr std::string_view kVenues = "small|medium|large";

// Why a key has no effect.
constexpr std::string_view kCopied = "sound is copied as it is, bit for bit";
constexpr std::string_view kNoFiles = "streaming mode keeps frames in memory only and writes one file, the output";
constexpr std::string_view kExactTiles = "tiles overlap by as much as the network sees, so that no seam can show";
constexpr std::string_view kNoStrength = "the networks here take no denoising strength; --temporal holds noise still";
constexpr std::string_view kOneModel = "one model is loaded, once, and kept for the whole run";
constexpr std::string_view kQueues = "queues between the stages are bounded in bytes, from the memory budget";
constexpr std::string_view kWorkers = "there are no worker processes; the network uses all CPUs (--threads)";
constexpr std::string_view kWeights =
    "weights are looked for in $MILLSTREAM_MODELS and beside torch; PyTorch's .pth files are never read";
constexpr std::string_view kMessages = "how much is printed is chosen by -v and -q, or by the caller's logging";
constexpr std::string_view kOtherQuality = "values of a quality that is not the one in use (--quality)";
constexpr std::string_view kText_ = "for people, no effect";
constexpr std::string_view kTimeCheckpoint =
    "counts seconds of work; checkpoints lie a length of video apart (streaming.checkpoint_interval counts its frames)";
constexpr std::string_view kOneFrame =
    "the temporal lock keeps one frame of history, which every size allows (docs/temporal.md)";
constexpr std::string_view kSuffix = "the container follows from the output's extension";

const auto kRules = std::to_array<KeyRule>({
    {"millstream.**", kAny, Use::own_options},

    // The section that the streaming processor reads
    {"streaming.enabled", kTruth, Use::streaming_switch},
    {"streaming_mode", kTruth, Use::streaming_switch},
    {"streaming.max_memory_mb", kMegabytes, Use::megabytes, "max_memory"},
    {"streaming.max_vram_mb", kGpuMegabytes, Use::gpu_megabytes, "max_vram"},
    {"streaming.batch_size", kBatch, Use::option, "batch"},
    {"streaming.enable_temporal_stabilization", kTruth, Use::temporal_switch, "temporal"},
    {"streaming.checkpoint_interval", whole(1, 1e6), Use::frames_of_chunk, "chunk"},
    {"streaming.temporal_buffer_size", whole(1, 64), Use::nothing, {}, kOneFrame},

    // Presets: a file of its own, or built in
    {"quality_level", choice(kQualities), Use::quality},
    {"target_resolution", kSize, Use::target_size, "fit"},
    {"tile_size", kTile, Use::option, "tile"},
    {"batch_size", kBatch, Use::option, "batch"},
    {"memory_usage", kShare, Use::memory_share, "max_memory"},
    {"theater_size", choice(kVenues), Use::nothing, {}, kCopied},
    {"denoise_strength", kUnit, Use::nothing, {}, kNoStrength},
    {"dialogue_boost", number(0, 20), Use::nothing, {}, kCopied},
    {"noise_reduction", kAny, Use::nothing, {}, kCopied},
    {"reverb_reduction", kUnit, Use::nothing, {}, kCopied},
    {"preserve_naturalness", kTruth, Use::nothing, {}, kCopied},
    {"name", kText, Use::nothing, {}, kText_},
    {"description", kText, Use::nothing, {}, kText_},
    {"created_by", kAny, Use::nothing, {}, kText_},
    {"created_at", kAny, Use::nothing, {}, kText_},
    {"version", kAny, Use::nothing, {}, kText_},

    // The network
    {"ai_models.default_model", kText, Use::model, "model"},
    {"video.ai_model", kText, Use::model, "model"},
    {"video.model_path", kText, Use::model_file, "model", kWeights},
    {"video.quality_presets.QUALITY.tile_size", kTile, Use::option, "tile"},
    {"video.quality_presets.QUALITY.batch_size", kBatch, Use::option, "batch"},
    {"video.quality_presets.*.tile_size", kTile, Use::nothing, {}, kOtherQuality},
    {"video.quality_presets.*.batch_size", kBatch, Use::nothing, {}, kOtherQuality},
    {"video.quality_presets.*.denoise_strength", kUnit, Use::nothing, {}, kNoStrength},
    {"video.quality_presets.*.overlap_pixels", whole(0, 1024), Use::nothing, {}, kExactTiles},
    {"models_dir", kText, Use::nothing, {}, kWeights},
    {"paths.models_dir", kText, Use::nothing, {}, kWeights},
    {"model_cache_size", whole(0, 64), Use::nothing, {}, kOneModel},

    // The output
    {"video.output.codec", kText, Use::codec, "codec"},
    {"video.output.crf", whole(0, 63), Use::option, "crf"},
    {"video.output.preset", kText, Use::option, "preset"},
    {"video.output.format", kText, Use::nothing, {}, kSuffix},

    // Resources
    {"performance.use_gpu", kTruth, Use::gpu_switch, "device"},
    {"performance.max_memory_usage", kShare, Use::memory_share, "max_memory"},
    {"memory_safety_margin", kShare, Use::memory_share, "max_memory"},
    {"performance.gpu_id", whole(0, 63), Use::gpu_number, "device"},
    {"performance.tile_overlap", whole(0, 1024), Use::nothing, {}, kExactTiles},
    {"performance.num_workers", whole(1, 32), Use::nothing, {}, kWorkers},
    {"performance.prefetch_factor", whole(0, 1024), Use::nothing, {}, kQueues},
    {"performance.checkpoint_interval", whole(1, 1e9), Use::nothing, {}, kTimeCheckpoint},

    // Intermediate files and what belongs to them
    {"temp_dir", kText, Use::nothing_warned, {}, kNoFiles},
    {"paths.temp_dir", kText, Use::nothing_warned, {}, kNoFiles},
    {"paths.cache_dir", kText, Use::nothing_warned, {}, kNoFiles},
    {"keep_frames", kTruth, Use::nothing_warned, {}, kNoFiles},
    {"keep_temp_files", kTruth, Use::nothing_warned, {}, kNoFiles},
    {"create_backup", kTruth, Use::nothing_warned, {}, kNoFiles},
    {"auto_cleanup", kTruth, Use::nothing, {}, kNoFiles},
    {"ui.auto_cleanup", kTruth, Use::nothing, {}, kNoFiles},
    {"save_processing_logs", kTruth, Use::nothing_warned, {}, kNoFiles},
    {"ui.save_processing_logs", kTruth, Use::nothing_warned, {}, kNoFiles},
    {"log_file", kText, Use::nothing_warned, {}, kNoFiles},
    {"logging.file", kText, Use::nothing_warned, {}, kNoFiles},

    // Progress and messages
    {"progress_update_interval", number(0, 3600), Use::progress_interval},
    {"ui.progress_update_interval", number(0, 3600), Use::progress_interval},
    {"log_level", choice("DEBUG|INFO|WARNING|ERROR|CRITICAL"), Use::nothing, {}, kMessages},
    {"logging.level", choice("DEBUG|INFO|WARNING|ERROR|CRITICAL"), Use::nothing, {}, kMessages},
    {"logging.console", kTruth, Use::nothing, {}, kMessages},
    {"logging.format", kText, Use::nothing, {}, kMessages},
    {"ui.show_advanced_options", kTruth, Use::nothing, {}, "there is no window here"},
    {"presets_dir", kText, Use::presets_folder},
    {"paths.presets_dir", kText, Use::presets_folder},
    {"_metadata.**", kAny, Use::nothing, {}, kText_},

    // Sound
    {"theater_preset", kText, Use::nothing, {}, kCopied},
    {"audio.theater_enhancement_enabled", kTruth, Use::nothing_warned, {}, kCopied},
    {"audio.theater_presets.*.reverb_reduction", kUnit, Use::nothing, {}, kCopied},
    {"audio.theater_presets.*.dialogue_boost", number(0, 20), Use::nothing, {}, kCopied},
    {"audio.theater_presets.*.noise_reduction", kUnit, Use::nothing, {}, kCopied},
    {"audio.theater_presets.*.spatial_enhancement", kAny, Use::nothing, {}, kCopied},
    {"audio.theater_presets.*.dynamic_range_compression", kUnit, Use::nothing, {}, kCopied},
    {"audio.theater_presets.*.preserve_naturalness", kTruth, Use::nothing, {}, kCopied},
    {"audio.sample_rate", choice("22050|44100|48000|96000"), Use::nothing, {}, kCopied},
    {"audio.bitrate", kText, Use::nothing, {}, kCopied},
    {"audio.channels", whole(1, 64), Use::nothing, {}, kCopied},
    {"audio.dialogue_enhancement", kAny, Use::nothing, {}, kCopied},
    {"audio.source_separation_enabled", kTruth, Use::nothing, {}, kCopied},

    // The toolkit beside that system
    {"video_config.ai_model", kText, Use::model, "model"},
    {"video_config.target_resolution", kSize, Use::target_size, "fit"},
    {"video_config.tile_size", kTile, Use::option, "tile"},
    {"video_config.batch_size", kBatch, Use::option, "batch"},
    {"video_config.gpu_acceleration", kTruth, Use::gpu_switch, "device"},
    {"performance_config.cpu_threads", whole(1, 1024), Use::option, "threads"},
    {"performance_config.gpu_memory_limit", number(0.1, 16384), Use::gigabytes, "max_vram"},
    {"performance_config.**", kAny, Use::nothing, {}, kQueues},
    {"audio_config.**", kAny, Use::nothing, {}, kCopied},
    {"logging_config.**", kAny, Use::nothing, {}, kMessages},
    {"presets.**", kAny, Use::nothing, {}, "presets are given by file, or by the name of a built-in one"},
});

std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        parts.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

bool stands_for(std::string_view pattern, std::string_view part, std::string_view quality) {
    if (pattern == "QUALITY") {
        return !quality.empty() && part == quality;
    }
    return pattern == "*" || pattern == part;
}

bool matches(std::string_view pattern, std::string_view path, std::string_view quality) {
    const auto wanted = parts_of(pattern);
    const auto parts = parts_of(path);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == "**") {
            return parts.size() > i;
        }
        if (i >= parts.size() || !stands_for(wanted[i], parts[i], quality)) {
            return false;
        }
    }
    return wanted.size() == parts.size();
}

bool is_whole(const Json& value) {
    return value.is_number_integer() ||
           (value.is_number_float() && value.get<double>() == std::floor(value.get<double>()));
}

bool is_size(const Json& value) {
    if (value.is_array()) {
        return value.size() == 2 && value[0].is_number_integer() && value[1].is_number_integer() && value[0] > 0 &&
               value[1] > 0;
    }
    if (!value.is_string()) {
        return false;
    }
    int width = 0;
    int height = 0;
    char cross = 0;
    std::istringstream text(value.get<std::string>());
    return static_cast<bool>(text >> width >> cross >> height) && cross == 'x' && text.peek() == EOF && width > 0 &&
           height > 0;
}

bool is_among(std::string_view text, std::string_view choices) {
    for (std::size_t begin = 0; begin <= choices.size();) {
        const std::size_t end = std::min(choices.find('|', begin), choices.size());
        if (choices.substr(begin, end - begin) == text) {
            return true;
        }
        begin = end + 1;
    }
    return false;
}

bool is_choice(const Json& value, std::string_view choices) {
    return is_among(value.is_string() ? value.get<std::string>() : to_text(value), choices);
}

}   // namespace

std::string ValueKind::objection(const Json& value) const {
    const auto range = [this](const char* what) {
        std::ostringstream words;
        words.precision(12);
        words << "it takes a " << what << " from " << smallest << " to " << largest;
        return words.str();
    };
    const auto within = [&] { return value.get<double>() >= smallest && value.get<double>() <= largest; };
    if (value.is_null()) {
        return {};
    }
    switch (type) {
        case Type::anything:
            return {};
        case Type::truth:
            return value.is_boolean() ? "" : "it takes true or false";
        case Type::whole:
            return value.is_number() && is_whole(value) && within() ? "" : range("whole number");
        case Type::number:
            return value.is_number() && within() ? "" : range("number");
        case Type::text:
            return value.is_string() ? "" : "it takes a text";
        case Type::choice:
            return is_choice(value, choices) ? "" : "it takes one of " + std::string(choices);
        case Type::size:
            return is_size(value) ? "" : "it takes a size, as \"1920x1080\" or [1920, 1080]";
    }
    return {};
}

std::span<const KeyRule> key_rules() {
    return kRules;
}

bool is_usual_quality(std::string_view name) {
    return is_among(name, kQualities);
}

const KeyRule* find_rule(std::string_view path, std::string_view quality) {
    const auto* const found = std::find_if(kRules.begin(), kRules.end(),
                                           [&](const KeyRule& rule) { return matches(rule.pattern, path, quality); });
    return found == kRules.end() ? nullptr : found;
}

bool is_section(std::string_view path) {
    const auto parts = parts_of(path);
    return std::any_of(kRules.begin(), kRules.end(), [&](const KeyRule& rule) {
        const auto wanted = parts_of(rule.pattern);
        if (wanted.size() <= parts.size()) {
            return false;
        }
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (wanted[i] != "QUALITY" && !stands_for(wanted[i], parts[i], {})) {
                return false;
            }
        }
        return true;
    });
}

}   // namespace millstream
