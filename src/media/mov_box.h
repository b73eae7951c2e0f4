// Boxes of an MP4 or MOV file (ISO/IEC 14496-12, 4.2): a size, a type, a content. Pure but for reading a head.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"

namespace millstream::mov {

inline constexpr std::size_t kBoxHead = 8;

struct Box {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;   ///< with its head
    std::string type;         ///< four letters
};

/// Big-endian.
std::uint64_t number(std::span<const std::byte> bytes);
void put_number(std::span<std::byte> to, std::uint64_t value);

std::array<std::byte, kBoxHead> box_head(std::uint64_t size, std::string_view type);

/// The box at `offset` of a file that ends at `end`; nothing where there is none that fits.
std::optional<Box> box_at(const File& file, std::uint64_t offset, std::uint64_t end);

}   // namespace millstream::mov
