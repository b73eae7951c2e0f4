// What nlohmann-json does not know how to write and read, and how we use it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace nlohmann {

template <class T>
struct adl_serializer<std::optional<T>> {
    template <class Json>
    static void to_json(Json& target, const std::optional<T>& value) {
        target = value ? Json(*value) : Json(nullptr);
    }
    template <class Json>
    static void from_json(const Json& source, std::optional<T>& value) {
        value = source.is_null() ? std::nullopt : std::optional<T>(source.template get<T>());
    }
};

template <>
struct adl_serializer<std::filesystem::path> {
    template <class Json>
    static void to_json(Json& target, const std::filesystem::path& path) {
        target = path.string();
    }
};

}   // namespace nlohmann

namespace millstream {

using Json = nlohmann::ordered_json;   // fields in the order of the struct

/// Names of files are bytes, and tags and messages may be, too: what is no UTF-8 is shown as U+FFFD. `indent`: -1 = all
/// on one line.
inline std::string json_text(const Json& value, int indent = -1) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}   // namespace millstream

/// In namespace millstream: how the members named are written, and with the second one also read.
#define MILLSTREAM_JSON_FIELDS(Type, ...)                                        \
    static void to_json(Json& nlohmann_json_j, const Type& nlohmann_json_t) {    \
        NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__)) \
    }                                                                            \
    static_assert(true, "takes the semicolon")

#define MILLSTREAM_JSON_FIELDS_BOTH_WAYS(Type, ...)                                \
    MILLSTREAM_JSON_FIELDS(Type, __VA_ARGS__);                                     \
    static void from_json(const Json& nlohmann_json_j, Type& nlohmann_json_t) {    \
        NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_FROM, __VA_ARGS__)) \
    }                                                                              \
    static_assert(true, "takes the semicolon")
