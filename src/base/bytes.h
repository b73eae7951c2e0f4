// Amounts of memory and disk in words: "2GiB" <-> 2147483648.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millstream {

inline constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// "1.5GiB", "512 MiB", "4096": a number with an optional binary suffix KiB, MiB, GiB, TiB (also K, M, G, T).
/// Throws Error(usage) naming the text when it is not one, is negative or does not fit.
std::uint64_t parse_bytes(std::string_view text);

/// The shortest form with one decimal at most: "1.5 GiB", "512 MiB", "17 B".
std::string format_bytes(std::uint64_t bytes);

}   // namespace millstream
