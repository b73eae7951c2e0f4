#include "media/text_box.h"

#include <array>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "media/mov_box.h"

namespace millstream {
namespace {

constexpr std::string_view kMark = "millstream texts";
constexpr std::size_t kTextHead = 4 + 8 + 8 + 4;   // stream, pts, duration, bytes

void append_number(std::vector<std::byte>& to, std::uint64_t value, std::size_t size) {
    to.resize(to.size() + size);
    mov::put_number(std::span(to).last(size), value);
}

av::Packet packet_of(std::span<const std::byte> head, std::span<const std::byte> payload) {
    av::Packet packet = av::make_packet();
    av::check(av_new_packet(packet.get(), static_cast<int>(payload.size())), ErrorKind::resource,
              "finishing the output", "");
    std::memcpy(packet->data, payload.data(), payload.size());
    packet->stream_index = static_cast<int>(mov::number(head.first(4)));
    packet->pts = static_cast<std::int64_t>(mov::number(head.subspan(4, 8)));
    packet->dts = packet->pts;
    packet->duration = static_cast<std::int64_t>(mov::number(head.subspan(12, 8)));
    packet->flags |= AV_PKT_FLAG_KEY;
    return packet;
}

void read_box(std::span<const std::byte> content, std::vector<av::Packet>& texts) {
    while (content.size() >= kTextHead) {
        const auto head = content.first(kTextHead);
        const auto size = static_cast<std::size_t>(mov::number(head.subspan(20, 4)));
        if (size > content.size() - kTextHead) {
            return;
        }
        texts.push_back(packet_of(head, content.subspan(kTextHead, size)));
        content = content.subspan(kTextHead + size);
    }
}

}   // namespace

void keep_text(std::vector<std::byte>& texts, const AVPacket& packet) {
    append_number(texts, static_cast<std::uint64_t>(packet.stream_index), 4);
    append_number(texts, static_cast<std::uint64_t>(packet.pts), 8);
    append_number(texts, static_cast<std::uint64_t>(packet.duration), 8);
    append_number(texts, static_cast<std::uint64_t>(packet.size), 4);
    const auto* data = reinterpret_cast<const std::byte*>(packet.data);
    texts.insert(texts.end(), data, data + packet.size);
}

void append_texts(PartFile& file, std::vector<std::byte>& texts) {
    if (texts.empty()) {
        return;
    }
    const auto head = mov::box_head(mov::kBoxHead + kMark.size() + texts.size(), "free");
    std::vector<std::byte> box(head.begin(), head.end());
    const auto mark = std::as_bytes(std::span(kMark));
    box.insert(box.end(), mark.begin(), mark.end());
    box.insert(box.end(), texts.begin(), texts.end());
    file.append(box);
    texts.clear();
}

std::vector<av::Packet> read_texts(const PartFile& file, std::uint64_t begin) {
    std::vector<av::Packet> texts;
    for (auto box = mov::box_at(file.file(), begin, file.end()); box;
         box = mov::box_at(file.file(), box->offset + box->size, file.end())) {
        if (box->type != "free" || box->size < mov::kBoxHead + kMark.size()) {
            continue;
        }
        std::vector<std::byte> content(static_cast<std::size_t>(box->size - mov::kBoxHead));
        file.file().read(box->offset + mov::kBoxHead, content);
        if (std::memcmp(content.data(), kMark.data(), kMark.size()) == 0) {
            read_box(std::span(content).subspan(kMark.size()), texts);
        }
    }
    return texts;
}

}   // namespace millstream
