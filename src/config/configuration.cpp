// Walks a configuration file key by key.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "config/document.h"
#include "config/key_rules.h"
#include "config/models_there.h"
#include "config/option_table.h"
#include "config/presets.h"
#include "millstream/config.h"
#include "millstream/error.h"
#include "resource/memory.h"

namespace millstream {
namespace {

constexpr std::uintmax_t kLargestFile = kMiB;
constexpr long long kShortestChunk = 24;                  // frames: what Options takes
constexpr double kLargestWhole = 9'007'199'254'740'992;   // 2^53: above it a double does not tell neighbours apart

[[noreturn]] void refuse(const std::string& subject, std::string why, std::string hint = {}) {
    throw Error(ErrorKind::usage, {"reading the configuration", subject, std::move(why), std::move(hint)});
}

std::string read_file(const std::filesystem::path& file) {
    std::error_code failure;
    const std::uintmax_t bytes = std::filesystem::file_size(file, failure);
    std::ifstream stream(file, std::ios::binary);
    if (failure || !stream) {
        refuse(file.string(), failure ? failure.message() : "it cannot be read", "Check the spelling of the path");
    }
    if (bytes > kLargestFile) {
        refuse(file.string(), "it is larger than " + format_bytes(kLargestFile));
    }
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

// A scalar as the command line would have it.
std::string text_of(const Json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.is_number_float() && value.get<double>() == std::floor(value.get<double>()) &&
        std::abs(value.get<double>()) <= kLargestWhole) {
        return std::to_string(std::llround(value.get<double>()));
    }
    return to_text(value);
}

// "1920x1080" from itself or [1920, 1080].
std::string size_text(const Json& value) {
    return value.is_string() ? value.get<std::string>() : text_of(value[0]) + "x" + text_of(value[1]);
}

// An option of ours as it may stand in the section `millstream`.
std::string own_text(const std::string& name, const Json& value) {
    const std::string joint = name == "size" || name == "fit"                                                    ? "x"
                              : name == "reports"                                                                ? "\n"
                              : name == "audio" || name == "subtitles" || name == "pressure" || name == "device" ? ","
                                                                                                                 : ":";
    std::string text;
    if (value.is_object()) {
        for (const auto& [key, part] : value.items()) {
            text += (text.empty() ? "" : ":") + key + "=" + text_of(part);
        }
        return text;
    }
    if (value.is_array()) {
        for (const Json& part : value) {
            text += (text.empty() ? "" : joint) + text_of(part);
        }
        return text.empty() ? "none" : text;
    }
    return text_of(value);
}

// One file on its way into a Configuration.
class Reader {
public:
    Reader(std::string source, const ConfigContext& context) : context_(context) { result_.source = std::move(source); }

    Configuration read(const Json& document) {
        result_.json = to_text(document, 2);
        // A preset says itself which quality is meant; the caller's word goes first.
        quality_ = context_.quality;
        if (quality_.empty() && document.contains("quality_level") && document["quality_level"].is_string()) {
            quality_ = document["quality_level"].get<std::string>();
        }
        check_quality(document);
        walk(document, {});
        apply();
        note_unknown();
        return std::move(result_);
    }

private:
    struct Found {
        const KeyRule* rule;
        std::size_t key;   // in result_.keys
        Json value;
    };

    [[nodiscard]] std::string subject(const std::string& path, const Json& value) const {
        return result_.source + ": " + path + " = " + to_text(value);
    }

    // A name that nothing knows would have no effect in silence.
    void check_quality(const Json& document) const {
        if (context_.quality.empty() || is_usual_quality(context_.quality)) {
            return;
        }
        std::string names = "fast, balanced, high";
        const Json presets = document.value(Json::json_pointer("/video/quality_presets"), Json::object());
        for (const auto& [name, ignored] : presets.items()) {
            if (name == context_.quality) {
                return;
            }
            names += is_usual_quality(name) ? "" : ", " + name;
        }
        refuse(result_.source + ": quality = " + context_.quality, "it takes one of " + names);
    }

    void walk(const Json& object, const std::string& prefix) {
        for (const auto& [name, value] : object.items()) {
            const std::string path = prefix.empty() ? name : prefix + "." + name;
            const KeyRule* rule = find_rule(path, quality_);
            if (rule == nullptr && value.is_object() && (is_section(path) || !value.empty())) {
                walk(value, path);
                continue;
            }
            if (rule == nullptr && is_section(path) && !value.is_null()) {
                refuse(subject(path, value), "it takes a section, keys with values");
            }
            take(path, value, rule);
        }
    }

    void take(const std::string& path, const Json& value, const KeyRule* rule) {
        ConfigKey key{path, to_text(value), ConfigKey::Effect::unknown, {}};
        if (rule != nullptr) {
            if (const std::string objection = rule->kind.objection(value); !objection.empty()) {
                refuse(subject(path, value), objection);
            }
            key.effect = ConfigKey::Effect::ignored;
            key.meaning = value.is_null() ? "not said" : rule->reason;
        }
        result_.keys.push_back(std::move(key));
        if (rule != nullptr && !value.is_null()) {
            found_.push_back({rule, result_.keys.size() - 1, value});
        }
    }

    // In the order of the rules: of several keys with one meaning the first one wins.
    void apply() {
        std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.rule < b.rule; });
        for (const Found& found : found_) {
            apply(found);
        }
    }

    void apply(const Found& found) {
        const std::string target(found.rule->target);
        const Json& value = found.value;
        switch (found.rule->use) {
            case Use::option:
                return set(found, target, text_of(value));
            case Use::megabytes:
                return set(found, target, text_of(value) + "MiB");
            case Use::gigabytes:
                return set(found, target, std::to_string(std::llround(value.get<double>() * 1024)) + "MiB");
            case Use::frames_of_chunk:
                return set(found, target,
                           std::to_string(std::max(kShortestChunk, std::llround(value.get<double>()))) + "f");
            case Use::memory_share:
                return set(found, target, share_of_memory(value.get<double>()));
            case Use::model:
                return set_model(found, value.get<std::string>());
            case Use::model_file:
                return set_model_file(found, value.get<std::string>());
            case Use::temporal_switch:
                return set(found, target, value.get<bool>() ? "medium" : "off");
            case Use::codec:
                return set_codec(found, value.get<std::string>());
            case Use::gpu_switch:
                return set_gpu(found, value.get<bool>());
            case Use::gpu_megabytes:
                return value.get<double>() > 0 ? set(found, target, text_of(value) + "MiB")
                                               : set(found, "device", "cpu");
            case Use::target_size:
                return set(found, target, size_text(value));
            case Use::streaming_switch:
                return set_streaming(found, value.get<bool>());
            case Use::quality:
                return set_quality(found, value.get<std::string>());
            case Use::gpu_number:
                return set(found, target, "auto:" + text_of(value));   // a processor does where it is not there
            case Use::presets_folder:
                return set_presets_folder(found, value.get<std::string>());
            case Use::progress_interval:
                return set_interval(found, value.get<double>());
            case Use::own_options:
                return set_own(found);
            case Use::nothing:
                return;
            case Use::nothing_warned:
                return warn_ignored(found);
        }
    }

    void applied(const Found& found, std::string meaning) {
        ConfigKey& key = result_.keys[found.key];
        key.effect = ConfigKey::Effect::applied;
        key.meaning = std::move(meaning);
    }

    // `by` has said it already: nothing changes. True where it has.
    bool said_before(const Found& found, const std::string& what) {
        const auto [before, first] = said_.emplace(what, result_.keys[found.key].key);
        if (!first) {
            result_.keys[found.key].meaning = before->second + " goes before it";
        }
        return !first;
    }

    void set(const Found& found, const std::string& name, const std::string& text) {
        if (said_before(found, name)) {
            return;
        }
        const std::string& key = result_.keys[found.key].key;
        check(key, found.value, name, text);
        result_.settings.push_back({name, text, result_.source + ": " + key});
        applied(found, name + " = " + text);
    }

    // What the option itself objects to is this key's fault.
    void check(const std::string& key, const Json& value, const std::string& name, const std::string& text) const {
        try {
            Options scratch;
            set_option(scratch, name, text);
        } catch (const Error& error) {
            refuse(subject(key, value), error.context().why, error.context().hint);
        }
    }

    [[nodiscard]] std::string share_of_memory(double share) const {
        const std::uint64_t available = context_.available_memory.value_or(
            std::min(available_memory(), cgroup_memory_limit().value_or(available_memory())));
        return std::to_string(static_cast<std::uint64_t>(share * static_cast<double>(available)) / kMiB) + "MiB";
    }

    void set_model(const Found& found, const std::string& name) {
        const bool first = !said_.contains("model");
        const ModelThere there = model_for(name);
        set(found, "model", there.model);
        if (first && !there.note.empty()) {
            result_.warnings.push_back(there.note + ".");
        }
    }

    void set_model_file(const Found& found, const std::string& file) {
        if (file.ends_with(".param")) {
            set(found, "model", file);
        }
    }

    void set_codec(const Found& found, const std::string& name) {
        static const std::map<std::string, std::string, std::less<>> kCodecs{
            {"h264", "h264"}, {"libx264", "h264"}, {"avc", "h264"}, {"h265", "hevc"},
            {"hevc", "hevc"}, {"libx265", "hevc"}, {"av1", "av1"},  {"libsvtav1", "av1"}};
        const auto codec = kCodecs.find(name);
        if (codec == kCodecs.end() && name.find('_') == std::string::npos) {
            refuse(
                subject(result_.keys[found.key].key, found.value),
                "it takes one of h264, libx264, h265, hevc, libx265, av1, libsvtav1, or a hardware encoder of FFmpeg "
                "(h264_nvenc)");
        }
        // Both are one thing: whoever has said one of them goes before this key.
        const bool names_encoder = codec == kCodecs.end();
        const auto other = said_.find(names_encoder ? "codec" : "encoder");
        if (other != said_.end()) {
            result_.keys[found.key].meaning = other->second + " goes before it";
            return;
        }
        names_encoder ? set(found, "encoder", name) : set(found, "codec", codec->second);
    }

    void set_gpu(const Found& found, bool use) {
        if (use) {
            applied(found, "a GPU is used where there is one");
        } else {
            set(found, "device", "cpu");
        }
    }

    void set_streaming(const Found& found, bool enabled) {
        if (!said_before(found, "streaming")) {
            result_.streaming = enabled;
            applied(found,
                    enabled ? "streaming is the mode" : "streaming is not the mode: the caller's other processor is");
        }
    }

    void set_presets_folder(const Found& found, const std::string& folder) {
        if (!said_before(found, "presets_folder")) {
            result_.presets_folder = folder;
            applied(found, "presets are looked for there before the built-in ones");
        }
    }

    void set_quality(const Found& found, const std::string& name) {
        result_.quality = name;
        applied(found, "video.quality_presets." + name + " of the configuration is used");
    }

    void set_interval(const Found& found, double seconds) {
        if (!said_before(found, "progress")) {
            result_.progress_interval_s = seconds;
            applied(found, "a progress tracker of the drop-in for huaju4k hears every " + text_of(found.value) +
                               " s; the program's own display has its own rate");
        }
    }

    void set_own(const Found& found) {
        const std::string name = result_.keys[found.key].key.substr(std::string_view("millstream.").size());
        set(found, name, own_text(name, found.value));
    }

    void warn_ignored(const Found& found) {
        const ConfigKey& key = result_.keys[found.key];
        const bool asks_for_nothing = found.value == Json(false) || found.value == Json("");
        if (!asks_for_nothing && warned_.insert(key.key).second) {
            result_.warnings.push_back(result_.source + ": " + key.key + " = " + key.value +
                                       " has no effect: " + key.meaning + ".");
        }
    }

    void note_unknown() {
        constexpr int kMost = 8;
        int count = 0;
        std::string names;
        for (const ConfigKey& key : result_.keys) {
            if (key.effect == ConfigKey::Effect::unknown && ++count <= kMost) {
                names += (names.empty() ? "" : ", ") + key.key;
            }
        }
        if (count > 0) {
            result_.warnings.push_back(result_.source + ": no meaning here has " + names +
                                       (count > kMost ? " and " + std::to_string(count - kMost) + " more keys" : "") +
                                       ". `millstream config explain` lists all.");
        }
    }

    const ConfigContext& context_;
    std::string quality_;
    Configuration result_;
    std::vector<Found> found_;
    std::map<std::string, std::string, std::less<>> said_;   // what -> the key that said it
    std::set<std::string> warned_;
};

}   // namespace

Configuration parse_configuration(const std::string& text, const std::string& name, const ConfigContext& context) {
    return Reader(name, context).read(read_document(text, name));
}

Configuration read_configuration(const std::filesystem::path& file, const ConfigContext& context) {
    return parse_configuration(read_file(file), file.string(), context);
}

Configuration read_preset(const std::string& name_or_file, const std::filesystem::path& folder,
                          const ConfigContext& context) {
    const std::filesystem::path path(name_or_file);
    const bool is_file = path.has_parent_path() || path.has_extension();
    if (is_file) {
        return read_configuration(path, context);
    }
    const std::filesystem::path in_folder = folder / (name_or_file + ".yaml");
    std::error_code ignored;
    if (!folder.empty() && std::filesystem::is_regular_file(in_folder, ignored)) {
        return read_configuration(in_folder, context);
    }
    if (const auto text = built_in_preset(name_or_file, context.quality)) {
        return parse_configuration(*text, "preset " + name_or_file, context);
    }
    std::string names;
    for (const std::string& name : built_in_presets()) {
        names += (names.empty() ? "" : ", ") + name;
    }
    throw Error(ErrorKind::usage, {"looking for a preset", name_or_file, "there is no such preset",
                                   "There are " + names + ", or the path of a file"});
}

std::vector<std::string> preset_names() {
    return built_in_presets();
}

}   // namespace millstream
