#include "configuration.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <filesystem>

#include "millstream/config.h"

namespace nb = nanobind;

namespace millstream::python {
namespace {

const char* word(ConfigKey::Effect effect) {
    return effect == ConfigKey::Effect::applied   ? "applied"
           : effect == ConfigKey::Effect::ignored ? "ignored"
                                                  : "unknown";
}

nb::list settings_list(const std::vector<Setting>& settings) {
    nb::list list;
    for (const Setting& setting : settings) {
        list.append(nb::make_tuple(setting.name, setting.text, setting.origin));
    }
    return list;
}

nb::dict facts_of(const Configuration& configuration) {
    nb::list keys;
    for (const ConfigKey& key : configuration.keys) {
        nb::dict facts;
        facts["key"] = key.key;
        facts["value"] = key.value;
        facts["effect"] = word(key.effect);
        facts["meaning"] = key.meaning;
        keys.append(facts);
    }
    nb::dict facts;
    facts["source"] = configuration.source;
    facts["json"] = configuration.json;
    facts["keys"] = keys;
    facts["settings"] = settings_list(configuration.settings);
    facts["warnings"] = configuration.warnings;
    facts["streaming"] = configuration.streaming;
    facts["quality"] = configuration.quality;
    facts["progress_interval_s"] = configuration.progress_interval_s;
    facts["explanation"] = explain_text(configuration);
    return facts;
}

}   // namespace

nb::dict read_configuration_call(const std::string& file, const std::string& text, const std::string& quality) {
    ConfigContext context;
    context.quality = quality;
    if (!text.empty()) {
        return facts_of(parse_configuration(text, file, context));
    }
    const std::vector<std::string> presets = preset_names();
    const bool preset = std::find(presets.begin(), presets.end(), file) != presets.end();
    return facts_of(preset ? read_preset(file, {}, context) : read_configuration(file, context));
}

nb::dict resolve_call(const std::string& preset, const std::string& file, const std::string& text,
                      const std::string& quality, const Settings& settings) {
    ConfigLayers layers;
    layers.preset = preset;
    layers.configuration = file;
    layers.configuration_text = text;
    layers.context.quality = quality;
    for (const auto& [name, word] : settings) {
        layers.caller.push_back({name, word, "argument"});
    }
    const EffectiveOptions effective = resolve_options(layers);
    nb::dict facts;
    facts["values"] = settings_list(effective.values);
    facts["warnings"] = effective.warnings;
    facts["streaming"] = !effective.configuration || effective.configuration->streaming;
    facts["text"] = effective_text(effective);
    return facts;
}

}   // namespace millstream::python
