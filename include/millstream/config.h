// Configuration files and presets: Millstream's own, and those of the huaju4k system it can take the place of, as they
// are. docs/config.md lists every key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millstream/options.h"

namespace millstream {

/// What became of one key of a file.
struct ConfigKey {
    enum class Effect { applied, ignored, unknown };
    std::string key;     ///< dotted path: streaming.max_memory_mb
    std::string value;   ///< as JSON
    Effect effect = Effect::unknown;
    std::string meaning;   ///< applied: what it sets; ignored: why; unknown: empty
};

/// One option's text and who asked for it.
struct Setting {
    std::string name;     ///< a field of Options
    std::string text;     ///< as the command line has it
    std::string origin;   ///< "streaming_config.json: streaming.max_memory_mb"
};

/// A configuration file or preset that was read and checked. A value.
struct Configuration {
    std::string source;                  ///< file or preset name, for messages
    std::string json;                    ///< the whole content, as JSON
    std::vector<ConfigKey> keys;         ///< in the file's order
    std::vector<Setting> settings;       ///< what it says of Options; an option at most once
    std::vector<std::string> warnings;   ///< a sentence each
    bool streaming = true;               ///< streaming.enabled, or streaming_mode where that is absent
    std::string quality;                 ///< fast, balanced, high: a preset's quality_level; empty = not said
    std::optional<double> progress_interval_s;
    std::filesystem::path presets_folder;   ///< presets_dir: where presets are looked for; empty = not said
};

/// What reading depends on beside the file.
struct ConfigContext {
    std::string quality = {};   ///< which of video.quality_presets is used; empty = none of them
    std::optional<std::uint64_t> available_memory =
        {};   ///< bytes that shares of memory are of; absent = this machine's
};

/// Reads JSON (.json) or YAML (.yaml, .yml; other names: by the first character). Writes nothing.
/// Throws Error(usage): unreadable, no mapping, larger than 1 MiB, a value of a wrong type or out of range: the Error
/// names file, key, value and what is allowed.
Configuration read_configuration(const std::filesystem::path& file, const ConfigContext& context = {});

/// The same for a text. `name` stands for the file's, extension included.
Configuration parse_configuration(const std::string& text, const std::string& name, const ConfigContext& context = {});

/// A preset by file, by name in `folder` (NAME.yaml), or a built-in one, in this order. Throws Error(usage) where there
/// is no such preset, listing those there are.
Configuration read_preset(const std::string& name_or_file, const std::filesystem::path& folder = {},
                          const ConfigContext& context = {});

/// Names of the built-in presets.
std::vector<std::string> preset_names();

/// What a job is asked to do, by whom. The later goes before the earlier: default, preset, configuration, caller. The
/// preset is looked for in the configuration's presets_folder, too, which counts from the working folder.
struct ConfigLayers {
    std::string preset;                    ///< name or file; empty = none
    std::filesystem::path configuration;   ///< empty = none
    std::string configuration_text;   ///< the content, JSON, where it is no file's; `configuration` is then its name
    ConfigContext context;
    std::vector<Setting> caller;   ///< command line or arguments; origins may be empty
};

/// Options with every value's origin.
struct EffectiveOptions {
    Options options;
    std::vector<Setting> values;   ///< every option in the order of the struct; origin "default" where nobody asked
    std::vector<std::string> warnings;   ///< of preset and configuration
    std::optional<Configuration> preset;
    std::optional<Configuration> configuration;
};

/// `options`' input and output are left empty. Throws Error(usage).
EffectiveOptions resolve_options(const ConfigLayers& layers);

/// The lines of `millstream config explain` and `millstream config show`.
std::string explain_text(const Configuration& configuration);
std::string effective_text(const EffectiveOptions& effective);

}   // namespace millstream
