#include "media/index_in_front.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "media/mov_box.h"

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

constexpr std::uint64_t kCopyBytes = 1 << 20;

std::optional<mov::Box> index_at_end(const File& file, std::uint64_t from, std::uint64_t end) {
    for (std::optional<mov::Box> box = mov::box_at(file, from, end); box; box = mov::box_at(file, box->offset + box->size, end)) {
        if (box->type == "moov") {
            return box->offset + box->size == end ? box : std::nullopt;
        }
    }
    return std::nullopt;
}

// Its header last: until then the room is what it was, free space.
void copy_index(File& file, const mov::Box& index, std::uint64_t offset, std::uint64_t room) {
    std::vector<std::byte> part;
    for (std::uint64_t done = mov::kBoxHead; done < index.size; done += part.size()) {
        part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyBytes, index.size - done)));
        file.read(index.offset + done, part);
        file.write(offset + done, part);
    }
    if (room > index.size) {
        file.write(offset + index.size, mov::box_head(room - index.size, "free"));
    }
    file.sync();
    file.write(offset, mov::box_head(index.size, "moov"));
    file.sync();
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

bool move_index_to_front(PartFile& file, std::uint64_t offset, std::uint64_t room) {
    const std::optional<mov::Box> index = index_at_end(file.file(), offset + room, file.end());
    const bool fits = index && (index->size == room || index->size + mov::kBoxHead <= room);
    if (!fits) {
        return false;
    }
    copy_index(file.file(), *index, offset, room);
    file.cut(index->offset);
    file.commit();
    return true;
}

}   // namespace millstream
