#include "media/mov_box.h"

namespace millstream::mov {

std::uint64_t number(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (const std::byte byte : bytes) {
        value = value << 8 | std::to_integer<std::uint64_t>(byte);
    }
    return value;
}

void put_number(std::span<std::byte> to, std::uint64_t value) {
    for (std::size_t i = to.size(); i > 0; --i) {
        to[i - 1] = static_cast<std::byte>(value & 0xff);
        value >>= 8;
    }
}

std::array<std::byte, kBoxHead> box_head(std::uint64_t size, std::string_view type) {
    std::array<std::byte, kBoxHead> head{};
    put_number(std::span(head).first(4), size);
    for (std::size_t i = 0; i < 4; ++i) {
        head.at(4 + i) = static_cast<std::byte>(type.at(i));
    }
    return head;
}

std::optional<Box> box_at(const File& file, std::uint64_t offset, std::uint64_t end) {
    if (offset + kBoxHead > end) {
        return std::nullopt;
    }
    std::array<std::byte, 2 * kBoxHead> head{};
    const std::size_t there = offset + head.size() <= end ? head.size() : kBoxHead;
    file.read(offset, std::span(head).first(there));
    const auto* type = reinterpret_cast<const char*>(head.data()) + 4;
    Box box{offset, number(std::span(head).first(4)), std::string(type, 4)};
    if (box.size == 1) {   // the long form
        box.size = number(std::span(head).subspan(kBoxHead));
    }
    return box.size < kBoxHead || box.size > end - offset ? std::nullopt : std::optional(box);
}

}   // namespace millstream::mov
