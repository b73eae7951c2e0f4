// EBML (RFC 8794), the little of it that finishing a Matroska file takes. Pure; knows bytes, not files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace millstream::ebml {

using Bytes = std::vector<std::byte>;

/// Longest head of an element: an ID of four bytes and a size of eight.
inline constexpr std::size_t kLongestHead = 12;

/// An element's head, as read. Sizes are in bytes.
struct Head {
    std::uint32_t id = 0;   ///< with its length marker, as the specification writes it
    std::size_t head_size = 0;
    std::optional<std::uint64_t> size;   ///< of the content; nothing = unknown
    [[nodiscard]] std::uint64_t whole() const { return head_size + size.value_or(0); }
};

/// At the start of `bytes`; nothing where that is no element's head, or it is cut off.
std::optional<Head> read_head(std::span<const std::byte> bytes);

/// A number as in a block's track: value and length in bytes.
struct Number {
    std::uint64_t value = 0;
    std::size_t size = 0;
};
std::optional<Number> read_number(std::span<const std::byte> bytes);
std::uint64_t read_unsigned(std::span<const std::byte> content);

/// Elements.
Bytes element(std::uint32_t id, std::span<const std::byte> content);
Bytes unsigned_element(std::uint32_t id, std::uint64_t value);
/// With an integer of all eight bytes: its length does not depend on its value.
Bytes wide_element(std::uint32_t id, std::uint64_t value);
Bytes float_element(std::uint32_t id, double value);
/// Nothing, in `size` bytes in all, of which there must be at least two.
Bytes void_element(std::size_t size);
/// A size in eight bytes.
Bytes wide_size(std::uint64_t size);

void append(Bytes& to, std::span<const std::byte> more);

}   // namespace millstream::ebml
