// Default, preset, configuration, caller: one over the other.
#include <algorithm>
#include <map>

#include "config/key_rules.h"
#include "config/option_table.h"
#include "millstream/config.h"

namespace millstream {
namespace {

bool says_size(const Setting& setting) {
    return setting.name == "scale" || setting.name == "size" || setting.name == "fit";
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
        // Scale, size and fit are three ways to say one thing: whoever says one of them says it all.
        if (std::any_of(layer.begin(), layer.end(), says_size)) {
            const Options defaults;
            options_.scale = defaults.scale;
            options_.size = defaults.size;
            options_.fit = defaults.fit;
            for (const char* name : {"scale", "size", "fit"}) {
                origins_.erase(name);
            }
        }
        for (const Setting& setting : layer) {
            set_option(options_, setting.name, setting.text);
            origins_[setting.name] = setting.origin.empty() ? standard_origin : setting.origin;
        }
    }

    void finish(EffectiveOptions& effective) const {
        effective.options = options_;
        for (const OptionEntry& entry : option_table()) {
            const auto origin = origins_.find(std::string(entry.name));
            effective.values.push_back(
                {std::string(entry.name), entry.text(options_), origin == origins_.end() ? "default" : origin->second});
        }
    }

private:
    Options options_;
    std::map<std::string, std::string> origins_;
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
