#include "media/ebml.h"

#include <bit>

namespace millstream::ebml {
namespace {

constexpr std::uint32_t kVoid = 0xEC;
constexpr std::uint64_t kWideMarker = std::uint64_t{1} << 56;
constexpr std::size_t kLongestShortVoid = 9;   // a head of two bytes; beyond it the size takes eight

// Length that the first byte of a variable-length number announces; 0 = none.
std::size_t announced(std::byte first) {
    const auto zeros = static_cast<std::size_t>(std::countl_zero(std::to_integer<std::uint8_t>(first)));
    return zeros == 8 ? 0 : zeros + 1;
}

std::uint64_t all_ones(std::size_t size) {
    return (std::uint64_t{1} << (7 * size)) - 1;
}

void put(Bytes& to, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i > 0; --i) {
        to.push_back(static_cast<std::byte>(value >> (8 * (i - 1)) & 0xff));
    }
}

void put_id(Bytes& to, std::uint32_t id) {
    put(to, id, (static_cast<std::size_t>(std::bit_width(id)) + 7) / 8);
}

}   // namespace

std::uint64_t read_unsigned(std::span<const std::byte> content) {
    std::uint64_t value = 0;
    for (const std::byte byte : content) {
        value = value << 8 | std::to_integer<std::uint64_t>(byte);
    }
    return value;
}

std::optional<Number> read_number(std::span<const std::byte> bytes) {
    const std::size_t size = bytes.empty() ? 0 : announced(bytes.front());
    if (size == 0 || size > bytes.size()) {
        return std::nullopt;
    }
    return Number{read_unsigned(bytes.first(size)) & all_ones(size), size};
}

std::optional<Head> read_head(std::span<const std::byte> bytes) {
    const std::size_t id_size = bytes.empty() ? 0 : announced(bytes.front());
    if (id_size == 0 || id_size > 4 || id_size > bytes.size()) {
        return std::nullopt;
    }
    const std::optional<Number> size = read_number(bytes.subspan(id_size));
    if (!size) {
        return std::nullopt;
    }
    Head head;
    head.id = static_cast<std::uint32_t>(read_unsigned(bytes.first(id_size)));
    head.head_size = id_size + size->size;
    if (size->value != all_ones(size->size)) {
        head.size = size->value;
    }
    return head;
}

Bytes wide_size(std::uint64_t size) {
    Bytes bytes;
    put(bytes, size | kWideMarker, 8);
    return bytes;
}

void append(Bytes& to, std::span<const std::byte> more) {
    to.insert(to.end(), more.begin(), more.end());
}

Bytes element(std::uint32_t id, std::span<const std::byte> content) {
    Bytes bytes;
    put_id(bytes, id);
    if (content.size() < 0x7f) {
        put(bytes, content.size() | 0x80, 1);
    } else {
        append(bytes, wide_size(content.size()));
    }
    append(bytes, content);
    return bytes;
}

Bytes unsigned_element(std::uint32_t id, std::uint64_t value) {
    Bytes content;
    put(content, value, value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 7) / 8);
    return element(id, content);
}

Bytes wide_element(std::uint32_t id, std::uint64_t value) {
    Bytes content;
    put(content, value, 8);
    return element(id, content);
}

Bytes float_element(std::uint32_t id, double value) {
    return wide_element(id, std::bit_cast<std::uint64_t>(value));
}

Bytes void_element(std::size_t size) {
    Bytes bytes;
    put_id(bytes, kVoid);
    if (size <= kLongestShortVoid) {
        put(bytes, (size - 2) | 0x80, 1);
    } else {
        append(bytes, wide_size(size - 9));
    }
    bytes.resize(size);
    return bytes;
}

}   // namespace millstream::ebml
