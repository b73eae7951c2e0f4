#include "config/presets.h"

#include <algorithm>
#include <array>

#include "config/document.h"

namespace millstream {
namespace {

// Values of huaju4k's own presets: names, sizes and numbers are what its users' scripts rely on.
struct Preset {
    std::string_view name;
    std::string_view venue;
    std::string_view quality;
    double denoise;
    double boost_db;
    double noise;
    double reverb;
    int tile;
    int batch;
    double memory;
};

constexpr std::array<Preset, 7> kPresets{{
    {"theater_small_fast", "small", "fast", 0.5, 6, 0.7, 0.8, 512, 4, 0.6},
    {"theater_medium_balanced", "medium", "balanced", 0.7, 4, 0.5, 0.6, 768, 2, 0.7},
    {"theater_large_high", "large", "high", 0.9, 2, 0.3, 0.4, 1024, 1, 0.8},
    {"theater_custom", "medium", "balanced", 0.7, 4, 0.5, 0.6, 768, 2, 0.7},
    // Of its other command, whose quality is an argument of its own.
    {"theater_small", "small", "", 0.5, 6, 0.7, 0.8, 512, 4, 0.6},
    {"theater_medium", "medium", "", 0.7, 4, 0.5, 0.6, 768, 2, 0.7},
    {"theater_large", "large", "", 0.9, 2, 0.3, 0.4, 1024, 1, 0.8},
}};

// That other command's factors. There is no part of a frame, and at least one.
int batch_of(const Preset& preset, std::string_view quality) {
    if (!preset.quality.empty()) {
        return preset.batch;
    }
    const double factor = quality == "fast" ? 1.2 : quality == "high" ? 0.8 : 1.0;
    return std::max(1, static_cast<int>(preset.batch * factor));
}

}   // namespace

std::optional<std::string> built_in_preset(std::string_view name, std::string_view quality) {
    const auto* const preset =
        std::find_if(kPresets.begin(), kPresets.end(), [name](const Preset& entry) { return entry.name == name; });
    if (preset == kPresets.end()) {
        return std::nullopt;
    }
    Json keys = {{"name", preset->name}, {"theater_size", preset->venue}};
    if (!preset->quality.empty()) {
        keys["quality_level"] = preset->quality;
    }
    keys.update({{"target_resolution", "3840x2160"},
                 {"denoise_strength", preset->denoise},
                 {"dialogue_boost", preset->boost_db},
                 {"noise_reduction", preset->noise},
                 {"reverb_reduction", preset->reverb},
                 {"tile_size", preset->tile},
                 {"batch_size", batch_of(*preset, quality)},
                 {"memory_usage", preset->memory}});
    return keys.dump(2);
}

std::vector<std::string> built_in_presets() {
    std::vector<std::string> names;
    names.reserve(kPresets.size());
    for (const Preset& preset : kPresets) {
        names.emplace_back(preset.name);
    }
    return names;
}

}   // namespace millstream
