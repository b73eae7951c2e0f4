// Default, preset, configuration, caller: one over the other.
#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "config/key_rules.h"
#include "config/option_table.h"
#include "millstream/config.h"

namespace millstream {
namespace {

// Options that are several ways to say one thing: whoever says one of them says it all. Empty names fill up.
using OneThing = std::array<std::string_view, 3>;
constexpr std::array<OneThing, 2> kOneThing{{{"scale", "size", "fit"}, {"codec", "encoder", ""}}};

bool is_among(std::string_view name, const OneThing& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool says(const std::vector<Setting>& layer, std::string_view name) {
    return std::any_of(layer.begin(), layer.end(), [&](const Setting& setting) { return setting.name == name; });
}

// At most 40 bytes, cut between two characters of UTF-8.
std::string shortened(const std::string& text) {
    constexpr std::size_t kMost = 40;
    if (text.size() <= kMost) {
        return text;
    }
    std::size_t end = kMost - 3;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end) + "...";
}

std::optional<Configuration> configuration_of(const ConfigLayers& layers, const ConfigContext& context) {
    if (!layers.configuration_text.empty()) {
        const std::string name = layers.configuration.empty() ? "configuration" : layers.configuration.string();
        return parse_configuration(layers.configuration_text, name, context);
    }
    return layers.configuration.empty() ? std::nullopt
                                        : std::optional(read_configuration(layers.configuration, context));
}

class Layering {
public:
    void add(const std::vector<Setting>& layer, const std::string& standard_origin) {
        for (const OneThing& names : kOneThing) {
            if (std::any_of(names.begin(), names.end(), [&](std::string_view name) { return says(layer, name); })) {
                std::erase_if(said_, [&](const auto& entry) { return is_among(entry.first, names); });
            }
        }
        for (const Setting& setting : layer) {
            said_[setting.name] = {setting.name, setting.text,
                                   setting.origin.empty() ? standard_origin : setting.origin};
        }
    }

    void finish(EffectiveOptions& effective) const {
        for (const auto& [name, setting] : said_) {
            set_option(effective.options, name, setting.text);
        }
        for (const OptionEntry& entry : option_table()) {
            const auto said = said_.find(entry.name);
            effective.values.push_back({std::string(entry.name), entry.text(effective.options),
                                        said == said_.end() ? "default" : said->second.origin});
        }
    }

private:
    std::map<std::string, Setting, std::less<>> said_;
};

}   // namespace

EffectiveOptions resolve_options(const ConfigLayers& layers) {
    EffectiveOptions effective;
    Layering layering;
    ConfigContext context = layers.context;
    effective.configuration = configuration_of(layers, context);
    if (!layers.preset.empty()) {
        const auto folder = effective.configuration ? effective.configuration->presets_folder : std::filesystem::path();
        ConfigContext of_preset = context;
        if (effective.configuration && !is_usual_quality(context.quality)) {   // the configuration's own
            of_preset.quality.clear();
        }
        effective.preset = read_preset(layers.preset, folder, of_preset);
        layering.add(effective.preset->settings, "preset");
        if (context.quality.empty() && !effective.preset->quality.empty()) {   // the preset names the quality
            context.quality = effective.preset->quality;
            effective.configuration = configuration_of(layers, context);
        }
    }
    if (effective.configuration) {
        layering.add(effective.configuration->settings, "configuration");
    }
    for (const auto* read : {&effective.preset, &effective.configuration}) {
        if (*read) {
            effective.warnings.insert(effective.warnings.end(), (*read)->warnings.begin(), (*read)->warnings.end());
        }
    }
    if (!layers.context.quality.empty() && !effective.preset && !effective.configuration) {
        effective.warnings.push_back("A quality alone (" + layers.context.quality +
                                     ") has no effect: it chooses among the quality presets of a configuration file.");
    }
    layering.add(layers.caller, "caller");
    layering.finish(effective);
    return effective;
}

std::string explain_text(const Configuration& configuration) {
    std::size_t width = 0;
    for (const ConfigKey& key : configuration.keys) {
        width = std::max(width, std::min<std::size_t>(key.key.size(), 48));
    }
    const auto section = [&](ConfigKey::Effect effect, const char* title) {
        std::string lines;
        for (const ConfigKey& key : configuration.keys) {
            if (key.effect == effect) {
                const std::size_t gap = width > key.key.size() ? width - key.key.size() : 0;
                lines += "  " + key.key + std::string(gap, ' ') + "  " + shortened(key.value) +
                         (key.meaning.empty() ? "" : "  -> " + key.meaning) + "\n";
            }
        }
        return lines.empty() ? "" : std::string(title) + "\n" + lines;
    };
    std::string text = section(ConfigKey::Effect::applied, "Applied") + section(ConfigKey::Effect::ignored, "Ignored") +
                       section(ConfigKey::Effect::unknown, "Unknown, ignored");
    for (const std::string& warning : configuration.warnings) {
        text += "warning: " + warning + "\n";
    }
    return text;
}

std::string effective_text(const EffectiveOptions& effective) {
    std::string text;
    for (const Setting& value : effective.values) {
        std::string line = value.name + " = " + (value.text.empty() ? "-" : value.text);
        line.resize(std::max<std::size_t>(line.size() + 2, 44), ' ');
        text += line + value.origin + "\n";
    }
    for (const std::string& warning : effective.warnings) {
        text += "warning: " + warning + "\n";
    }
    return text;
}

}   // namespace millstream
