#include "config/document.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "millstream/error.h"

namespace millstream {
namespace {

constexpr int kDeepest = 64;
constexpr int kMostValues = 100'000;

[[noreturn]] void refuse(const std::string& name, std::string why, std::string hint = {}) {
    throw Error(ErrorKind::usage, {"reading the configuration", name, std::move(why), std::move(hint)});
}

bool equals_word(std::string_view text, std::string_view word) {   // YAML 1.1 has true, True and TRUE
    if (text.size() != word.size()) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (std::tolower(static_cast<unsigned char>(text[i])) != word[i]) {
            return false;
        }
    }
    return true;
}

std::optional<bool> boolean_of(std::string_view text) {
    for (const std::string_view word : {"true", "yes", "on"}) {
        if (equals_word(text, word)) {
            return true;
        }
    }
    for (const std::string_view word : {"false", "no", "off"}) {
        if (equals_word(text, word)) {
            return false;
        }
    }
    return std::nullopt;
}

template <class T>
std::optional<T> number_of(std::string_view text) {
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    T value{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

Json scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    const bool plain = node.Tag() == "?" || node.Tag().empty();
    if (!plain) {
        return text;
    }
    if (text.empty() || text == "~" || equals_word(text, "null")) {
        return nullptr;
    }
    if (const auto truth = boolean_of(text)) {
        return *truth;
    }
    if (const auto whole = number_of<std::int64_t>(text)) {
        return *whole;
    }
    const bool digits = text.find_first_of("0123456789") != std::string::npos;   // "inf" and "nan" are words
    if (const auto decimal = digits ? number_of<double>(text) : std::nullopt) {
        return *decimal;
    }
    return text;
}

class YamlReader {
public:
    explicit YamlReader(const std::string& name) : name_(name) {}

    Json read(const YAML::Node& node, int depth = 0) {
        if (depth > kDeepest || ++values_ > kMostValues) {
            refuse(name_, depth > kDeepest ? "it is nested deeper than " + std::to_string(kDeepest) + " levels"
                                           : "it holds more than " + std::to_string(kMostValues) + " values");
        }
        if (node.IsMap()) {
            return read_map(node, depth);
        }
        if (node.IsSequence()) {
            Json array = Json::array();
            for (const auto& entry : node) {
                array.push_back(read(entry, depth + 1));
            }
            return array;
        }
        return node.IsScalar() ? scalar(node) : Json(nullptr);
    }

private:
    // `<<: *other` gives what the mapping itself does not say; of several others the first one wins.
    Json read_map(const YAML::Node& node, int depth) {
        Json object = Json::object();
        Json others = Json::array();
        for (const auto& entry : node) {
            const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
            Json value = read(entry.second, depth + 1);
            if (key == "<<" && value.is_structured()) {
                others = value.is_array() ? std::move(value) : Json::array({std::move(value)});
            } else {
                object[key] = std::move(value);
            }
        }
        for (const Json& other : others) {
            if (!other.is_object()) {
                refuse(name_, "after << there is something else than a mapping");
            }
            object.insert(other.begin(), other.end());   // leaves what is there
        }
        return object;
    }

    const std::string& name_;
    int values_ = 0;
};

Json read_yaml(const std::string& text, const std::string& name) {
    try {
        return YamlReader(name).read(YAML::Load(text));
    } catch (const YAML::Exception& failure) {
        refuse(name, failure.what());   // says line and column
    }
}

int depth_of(const Json& value, int depth = 0) {
    int deepest = depth;
    if (value.is_structured() && depth <= kDeepest) {
        for (const Json& part : value) {
            deepest = std::max(deepest, depth_of(part, depth + 1));
        }
    }
    return deepest;
}

Json read_json(const std::string& text, const std::string& name) {
    try {
        Json value = Json::parse(text);
        if (depth_of(value) > kDeepest) {
            refuse(name, "it is nested deeper than " + std::to_string(kDeepest) + " levels");
        }
        return value;
    } catch (const Json::exception& failure) {
        const std::string_view said = failure.what();   // "[json.exception.parse_error.101] parse error at line ..."
        const std::size_t begin = said.find("] ");
        refuse(name, std::string(begin == std::string_view::npos ? said : said.substr(begin + 2)));
    }
}

bool is_json(const std::string& text, const std::string& name) {
    const std::string extension = std::filesystem::path(name).extension().string();
    if (extension == ".yaml" || extension == ".yml") {
        return false;
    }
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return extension == ".json" || (first != std::string::npos && text[first] == '{');
}

}   // namespace

std::string to_text(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json read_document(const std::string& text, const std::string& name) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    const std::string body = text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
    Json value = is_json(body, name) ? read_json(body, name) : read_yaml(body, name);
    if (!value.is_object()) {
        refuse(name, "at its top there is no mapping of keys to values", "Write for example: millstream: {scale: 2}");
    }
    return value;
}

}   // namespace millstream
