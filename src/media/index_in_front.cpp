#include "media/index_in_front.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "millstream/error.h"

namespace millstream {
namespace {

// ISO/IEC 14496-12: bytes of one sample in the tables. Size 4, decoding time 8, composition offset 8, sync sample 4; a
// chunk, which is at worst one sample, has an offset of 8 and a row of 12.
constexpr double kVideoSampleBytes = 44;
constexpr double kAudioSampleBytes = 32;
constexpr double kSubtitleSampleBytes = 64;   // with the empty one behind it
constexpr double kTrackBytes = 4096;
constexpr double kFileBytes = 64 * 1024;   // header, tags, chapters
constexpr double kShortestAudioPacket = 256;
constexpr double kUsualAudioPacket = 1024;
constexpr double kSubtitlesPerSecond = 1;

constexpr std::uint64_t kBoxHeader = 8;
constexpr std::streamsize kCopyBytes = 1 << 20;

struct Box {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::string type;
};

std::uint64_t big_endian(const char* bytes, int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

std::array<char, kBoxHeader> header_of(std::uint64_t size, std::string_view type) {
    std::array<char, kBoxHeader> header{};
    for (std::size_t i = 0; i < 4; ++i) {
        header.at(i) = static_cast<char>(size >> (24 - 8 * i) & 0xff);
        header.at(4 + i) = type.at(i);
    }
    return header;
}

std::optional<Box> box_at(std::fstream& file, std::uint64_t offset, std::uint64_t end) {
    std::array<char, 16> header{};
    file.seekg(static_cast<std::streamoff>(offset));
    if (offset + kBoxHeader > end || !file.read(header.data(), kBoxHeader)) {
        return std::nullopt;
    }
    Box box{offset, big_endian(header.data(), 4), std::string(header.data() + 4, 4)};
    if (box.size == 1 && file.read(header.data() + kBoxHeader, 8)) {
        box.size = big_endian(header.data() + kBoxHeader, 8);
    }
    return box.size < kBoxHeader || box.size > end - offset ? std::nullopt : std::optional(box);
}

std::optional<Box> index_at_end(std::fstream& file, std::uint64_t from, std::uint64_t end) {
    for (std::optional<Box> box = box_at(file, from, end); box; box = box_at(file, box->offset + box->size, end)) {
        if (box->type == "moov") {
            return box->offset + box->size == end ? box : std::nullopt;
        }
    }
    return std::nullopt;
}

// Its header last: until then the room is what it was, free space.
void copy_index(std::fstream& file, const Box& index, std::uint64_t offset, std::uint64_t room) {
    std::string part;
    for (std::uint64_t done = kBoxHeader; done < index.size; done += part.size()) {
        part.resize(std::min<std::uint64_t>(kCopyBytes, index.size - done));
        file.seekg(static_cast<std::streamoff>(index.offset + done));
        file.read(part.data(), static_cast<std::streamsize>(part.size()));
        file.seekp(static_cast<std::streamoff>(offset + done));
        file.write(part.data(), static_cast<std::streamsize>(part.size()));
    }
    if (room > index.size) {
        file.seekp(static_cast<std::streamoff>(offset + index.size));
        file.write(header_of(room - index.size, "free").data(), kBoxHeader);
    }
    file.flush();
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(header_of(index.size, "moov").data(), kBoxHeader);
    file.flush();
}

}   // namespace

std::uint64_t predicted_index_bytes(const SourceInfo& source, const std::vector<CarriedStream>& carried) {
    const StreamInfo& video = source.video();
    const double seconds = std::max(source.duration_s, video.duration_s);
    if (video.video->frames <= 0 || seconds <= 0) {
        return 0;
    }
    double bytes = kFileBytes + kTrackBytes + static_cast<double>(video.video->frames) * kVideoSampleBytes;
    for (const CarriedStream& stream : carried) {
        const StreamInfo& info = source.streams.at(static_cast<std::size_t>(stream.index));
        bytes += kTrackBytes;
        if (stream.how == Carriage::cover) {
            bytes += static_cast<double>(info.bytes);
        } else if (info.video) {
            bytes += static_cast<double>(std::max<std::int64_t>(info.video->frames, 0)) * kVideoSampleBytes;
        } else if (info.kind == StreamKind::audio) {
            // MP3 at 48 kHz has 1152 samples a packet, AAC 1024, low-delay codecs less.
            const bool known = info.codec == "aac" || info.codec == "mp3" || info.codec == "ac3" ||
                               info.codec == "eac3" || info.codec == "flac" || info.codec == "alac";
            const double packets =
                seconds * std::max(info.sample_rate, 8000) / (known ? kUsualAudioPacket : kShortestAudioPacket);
            bytes += packets * kAudioSampleBytes;
        } else {
            bytes += seconds * kSubtitlesPerSecond * kSubtitleSampleBytes;
        }
    }
    constexpr double kMost = 2e9;   // a box of 32 bits
    return static_cast<std::uint64_t>(std::min(std::ceil(bytes), kMost));
}

std::uint64_t first_box_bytes(const std::filesystem::path& path) {
    std::fstream file(path, std::ios::in | std::ios::binary);
    const std::optional<Box> box = file ? box_at(file, 0, std::filesystem::file_size(path)) : std::nullopt;
    return box ? box->size : 0;
}

bool move_index_to_front(const std::filesystem::path& path, std::uint64_t offset, std::uint64_t room) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const std::uint64_t end = std::filesystem::file_size(path);
    const std::optional<Box> index = file ? index_at_end(file, offset + room, end) : std::nullopt;
    const bool fits = index && (index->size == room || index->size + kBoxHeader <= room);
    if (!fits) {
        return false;
    }
    file.clear();
    copy_index(file, *index, offset, room);
    if (!file) {
        throw Error(ErrorKind::resource, {"moving the index of the output to its front", path.string(),
                                          "writing failed", "Without --faststart it stays at the end"});
    }
    file.close();
    std::error_code failed;
    std::filesystem::resize_file(path, index->offset, failed);
    if (failed) {
        throw Error(ErrorKind::resource,
                    {"moving the index of the output to its front", path.string(), failed.message(), ""});
    }
    return true;
}

}   // namespace millstream
