// What nlohmann-json does not know how to write and read, and how we use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nlohmann {

template <class T>
struct adl_serializer<std::optional<T>> {
    template <class Json>
    static void to_json(Json& target, const std::optional<T>& value) {
        target = value ? Json(*value) : Json(nullptr);
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

/// Reads what a file holds, whoever wrote it. The library's own get() casts any number to a count, which is undefined
/// where it does not fit. Throws std::out_of_range there, nlohmann's exceptions where it is another type.
template <class T>
void read_value(const Json& source, T& value);
template <class T>
void read_value(const Json& source, std::optional<T>& value);
template <class T>
void read_value(const Json& source, std::vector<T>& value);

template <class T>
void read_value(const Json& source, T& value) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        const bool fits = source.is_number_unsigned()
                              ? std::in_range<T>(source.get<std::uint64_t>())
                              : source.is_number_integer() && std::in_range<T>(source.get<std::int64_t>());
        if (!fits) {
            throw std::out_of_range("a count that does not fit");
        }
    }
    value = source.get<T>();
}

template <class T>
void read_value(const Json& source, std::optional<T>& value) {
    value.reset();
    if (!source.is_null()) {
        read_value(source, value.emplace());
    }
}

template <class T>
void read_value(const Json& source, std::vector<T>& value) {
    value.clear();
    for (const Json& element : source.get_ref<const Json::array_t&>()) {
        read_value(element, value.emplace_back());
    }
}

}   // namespace millstream

/// In namespace millstream: how the members named are written, and with the second one also read.
#define MILLSTREAM_JSON_FIELDS(Type, ...)                                        \
    static void to_json(Json& nlohmann_json_j, const Type& nlohmann_json_t) {    \
        NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(NLOHMANN_JSON_TO, __VA_ARGS__)) \
    }                                                                            \
    static_assert(true, "takes the semicolon")

#define MILLSTREAM_JSON_READ(field) read_value(nlohmann_json_j.at(#field), nlohmann_json_t.field);

#define MILLSTREAM_JSON_FIELDS_BOTH_WAYS(Type, ...)                                  \
    MILLSTREAM_JSON_FIELDS(Type, __VA_ARGS__);                                       \
    static void from_json(const Json& nlohmann_json_j, Type& nlohmann_json_t) {      \
        NLOHMANN_JSON_EXPAND(NLOHMANN_JSON_PASTE(MILLSTREAM_JSON_READ, __VA_ARGS__)) \
    }                                                                                \
    static_assert(true, "takes the semicolon")
