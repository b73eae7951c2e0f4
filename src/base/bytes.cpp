#include "base/bytes.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "millstream/error.h"

namespace millstream {
namespace {

struct Unit {
    std::string_view name;
    double bytes;
};

constexpr std::array<Unit, 9> kUnits{{{"KiB", 0x1p10},
                                      {"MiB", 0x1p20},
                                      {"GiB", 0x1p30},
                                      {"TiB", 0x1p40},
                                      {"K", 0x1p10},
                                      {"M", 0x1p20},
                                      {"G", 0x1p30},
                                      {"T", 0x1p40},
                                      {"B", 1}}};

[[noreturn]] void refuse(std::string_view text) {
    throw Error(ErrorKind::usage,
                {"reading an amount of bytes", "\"" + std::string(text) + "\"",
                 "it is not a number with one of the suffixes KiB, MiB, GiB, TiB", "Write for example 512MiB or 2GiB"});
}

}   // namespace

std::uint64_t parse_bytes(std::string_view text) {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || !std::isfinite(value) || value < 0) {
        refuse(text);
    }
    std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
    while (suffix.starts_with(' ')) {
        suffix.remove_prefix(1);
    }
    double unit = suffix.empty() ? 1 : 0;
    for (const Unit& known : kUnits) {
        if (suffix == known.name) {
            unit = known.bytes;
        }
    }
    if (unit == 0 || value * unit >= 0x1p63) {
        refuse(text);
    }
    return static_cast<std::uint64_t>(value * unit);
}

std::string format_bytes(std::uint64_t bytes) {
    double value = static_cast<double>(bytes);
    std::string_view unit = "B";
    for (std::size_t i = 0; i < 4 && value >= 1024; ++i) {
        value /= 1024;
        unit = kUnits[i].name;
    }
    std::array<char, 48> text{};
    const bool whole = unit == "B" || value >= 100 || std::abs(value - std::round(value)) < 0.05;
    std::snprintf(text.data(), text.size(), whole ? "%.0f %s" : "%.1f %s", value, unit.data());
    return text.data();
}

}   // namespace millstream
