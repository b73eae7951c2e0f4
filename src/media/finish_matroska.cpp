#include "media/finish_matroska.h"

extern "C" {
#include <libavutil/crc.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "media/ebml.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using ebml::Bytes;

// RFC 9559, section 5.1.
constexpr std::uint32_t kSegment = 0x18538067;
constexpr std::uint32_t kSeekHead = 0x114D9B74;
constexpr std::uint32_t kSeek = 0x4DBB;
constexpr std::uint32_t kSeekId = 0x53AB;
constexpr std::uint32_t kSeekPosition = 0x53AC;
constexpr std::uint32_t kInfo = 0x1549A966;
constexpr std::uint32_t kDuration = 0x4489;
constexpr std::uint32_t kTracks = 0x1654AE6B;
constexpr std::uint32_t kTrackEntry = 0xAE;
constexpr std::uint32_t kTrackNumber = 0xD7;
constexpr std::uint32_t kTrackUid = 0x73C5;
constexpr std::uint32_t kTags = 0x1254C367;
constexpr std::uint32_t kTargets = 0x63C0;
constexpr std::uint32_t kTagTrackUid = 0x63C5;
constexpr std::uint32_t kSimpleTag = 0x67C8;
constexpr std::uint32_t kTagName = 0x45A3;
constexpr std::uint32_t kTagString = 0x4487;
constexpr std::uint32_t kCluster = 0x1F43B675;
constexpr std::uint32_t kTimestamp = 0xE7;
constexpr std::uint32_t kSimpleBlock = 0xA3;
constexpr std::uint32_t kBlockGroup = 0xA0;
constexpr std::uint32_t kBlock = 0xA1;
constexpr std::uint32_t kReferenceBlock = 0xFB;
constexpr std::uint32_t kCues = 0x1C53BB6B;
constexpr std::uint32_t kCuePoint = 0xBB;
constexpr std::uint32_t kCueTime = 0xB3;
constexpr std::uint32_t kCueTrackPositions = 0xB7;
constexpr std::uint32_t kCueTrack = 0xF7;
constexpr std::uint32_t kCueClusterPosition = 0xF1;
constexpr std::uint32_t kVoid = 0xEC;
constexpr std::uint32_t kCrc32 = 0xBF;

constexpr std::size_t kDurationBytes = 11;   // of the element
constexpr std::string_view kDurationName = "DURATION";
constexpr std::size_t kDurationText = 20;
constexpr std::uint64_t kMostHeaderBytes = std::uint64_t{1} << 30;
// FFmpeg's muxer begins a cluster with every key frame, unless the one before would be smaller than this.
constexpr std::uint64_t kSmallCluster = 4096;

[[noreturn]] void fail(const File& file, const char* why) {
    throw Error(ErrorKind::internal, {"finishing the output", file.path().string(), why,
                                      "What is there plays; this is a defect of Millstream: please report it"});
}

// The heads of elements in the file, through a small window: what is in large blocks is never read.
class Heads {
public:
    Heads(const File& file, std::uint64_t end) : file_(file), end_(end) {}

    std::span<const std::byte> at(std::uint64_t offset, std::size_t count) {
        count = static_cast<std::size_t>(std::min<std::uint64_t>(count, end_ - std::min(end_, offset)));
        if (offset < begin_ || offset + count > begin_ + filled_) {
            filled_ = static_cast<std::size_t>(std::min<std::uint64_t>(window_.size(), end_ - offset));
            begin_ = offset;
            file_.read(offset, std::span(window_).first(filled_));
        }
        return std::span(window_).subspan(static_cast<std::size_t>(offset - begin_), count);
    }

    ebml::Head head(std::uint64_t offset) {
        const auto found = ebml::read_head(at(offset, ebml::kLongestHead));
        if (!found) {
            fail(file_, "an element cannot be read back");
        }
        return *found;
    }

    [[nodiscard]] std::uint64_t end() const { return end_; }
    [[nodiscard]] const File& file() const { return file_; }

private:
    const File& file_;
    std::uint64_t end_;
    std::uint64_t begin_ = 0;
    std::size_t filled_ = 0;
    std::array<std::byte, 4096> window_{};
};

struct Cue {
    std::int64_t time = 0;
    std::uint64_t cluster = 0;   // relative to the Segment's content
};

// The first key frame of the video in each cluster, which is where playing may begin. In a long file a cluster costs
// one read of the disk: where its first picture is none, the others are not looked at.
class CueFinder {
public:
    CueFinder(Heads& heads, int video, std::uint64_t segment) : heads_(heads), video_(video), segment_(segment) {}

    std::vector<Cue> find(std::uint64_t offset) {
        while (offset < heads_.end()) {
            const ebml::Head head = heads_.head(offset);
            if (head.id != kCluster || !head.size) {
                fail(heads_.file(), "something else than clusters stands behind the header");
            }
            cluster(offset, offset + head.head_size, *head.size);
            offset += head.whole();
        }
        return std::move(cues_);
    }

private:
    void cluster(std::uint64_t start, std::uint64_t content, std::uint64_t size) {
        std::int64_t time = 0;
        bool has_picture = false;
        for (std::uint64_t at = content; at < content + size && !(has_picture && at > content + kSmallCluster);) {
            const ebml::Head head = heads_.head(at);
            const std::uint64_t inside = at + head.head_size;
            if (head.id == kTimestamp) {
                time = static_cast<std::int64_t>(ebml::read_unsigned(heads_.at(inside, head.size.value_or(0))));
            } else if (const auto block = picture(head, inside)) {
                if (block->key) {
                    cues_.push_back({time + block->time, start - segment_});
                    return;
                }
                has_picture = true;
            }
            at += head.whole();
        }
    }

    struct PictureBlock {
        std::int64_t time = 0;   // relative to the cluster's
        bool key = false;
    };

    // Nothing where this is no block of the video.
    std::optional<PictureBlock> picture(const ebml::Head& head, std::uint64_t inside) {
        constexpr std::uint8_t kKey = 0x80;
        if (head.id == kSimpleBlock) {
            const auto block = heads_.at(inside, ebml::kLongestHead);
            const auto track = ebml::read_number(block);
            if (!is_video(track)) {
                return std::nullopt;
            }
            const bool is_key = (std::to_integer<std::uint8_t>(block[track->size + 2]) & kKey) != 0;
            return PictureBlock{relative_time(block, track->size), is_key};
        }
        if (head.id != kBlockGroup) {
            return std::nullopt;
        }
        std::optional<PictureBlock> result;
        bool refers = false;
        for (std::uint64_t at = inside; at < inside + head.size.value_or(0);) {
            const ebml::Head part = heads_.head(at);
            if (part.id == kBlock) {
                const auto block = heads_.at(at + part.head_size, ebml::kLongestHead);
                if (const auto track = ebml::read_number(block); is_video(track)) {
                    result = PictureBlock{relative_time(block, track->size), false};
                }
            }
            refers = refers || part.id == kReferenceBlock;
            at += part.whole();
        }
        if (result) {
            result->key = !refers;
        }
        return result;
    }

    [[nodiscard]] bool is_video(const std::optional<ebml::Number>& track) const {
        return track && track->value == static_cast<std::uint64_t>(video_);
    }

    static std::int64_t relative_time(std::span<const std::byte> block, std::size_t at) {
        return static_cast<std::int16_t>(ebml::read_unsigned(block.subspan(at, 2)));
    }

    Heads& heads_;
    int video_;
    std::uint64_t segment_;
    std::vector<Cue> cues_;
};

Bytes cues_element(const std::vector<Cue>& cues, int video) {
    Bytes content;
    for (const Cue& cue : cues) {
        Bytes position = ebml::unsigned_element(kCueTrack, static_cast<std::uint64_t>(video));
        ebml::append(position, ebml::unsigned_element(kCueClusterPosition, cue.cluster));
        Bytes point = ebml::unsigned_element(kCueTime, static_cast<std::uint64_t>(std::max<std::int64_t>(cue.time, 0)));
        ebml::append(point, ebml::element(kCueTrackPositions, position));
        ebml::append(content, ebml::element(kCuePoint, point));
    }
    return ebml::element(kCues, content);
}

// An element inside a block of bytes.
struct Part {
    ebml::Head head;
    std::span<std::byte> whole;
    [[nodiscard]] std::span<std::byte> content() const { return whole.subspan(head.head_size); }
};

std::vector<Part> parts_of(std::span<std::byte> bytes) {
    std::vector<Part> parts;
    while (const auto head = ebml::read_head(bytes)) {
        if (!head->size || head->whole() > bytes.size()) {
            break;
        }
        parts.push_back({*head, bytes.first(static_cast<std::size_t>(head->whole()))});
        bytes = bytes.subspan(parts.back().whole.size());
    }
    return parts;
}

const Part* find(const std::vector<Part>& parts, std::uint32_t id) {
    const auto found = std::find_if(parts.begin(), parts.end(), [&](const Part& part) { return part.head.id == id; });
    return found == parts.end() ? nullptr : &*found;
}

void overwrite(std::span<std::byte> to, const Bytes& with) {
    std::copy(with.begin(), with.end(), to.begin());
}

// A checksum, where the element has one, is its first part.
void renew_checksum(const Part& element) {
    const std::vector<Part> parts = parts_of(element.content());
    if (parts.empty() || parts.front().head.id != kCrc32) {
        return;
    }
    const auto covered = element.content().subspan(parts.front().whole.size());
    const std::uint32_t sum = ~av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), ~std::uint32_t{0},
                                      reinterpret_cast<const std::uint8_t*>(covered.data()), covered.size());
    for (std::size_t i = 0; i < 4; ++i) {
        parts.front().content()[i] = static_cast<std::byte>(sum >> (8 * i) & 0xff);
    }
}

void set_duration(const Part& info, double duration_ms) {
    for (const Part& part : parts_of(info.content())) {
        if (part.whole.size() == kDurationBytes && (part.head.id == kVoid || part.head.id == kDuration)) {
            overwrite(part.whole, ebml::float_element(kDuration, duration_ms));
            break;
        }
    }
    renew_checksum(info);
}

std::map<std::uint64_t, std::size_t> track_of_uid(const Part& tracks) {
    std::map<std::uint64_t, std::size_t> result;
    for (const Part& entry : parts_of(tracks.content())) {
        const std::vector<Part> parts = parts_of(entry.content());
        const Part* number = find(parts, kTrackNumber);
        const Part* uid = find(parts, kTrackUid);
        if (entry.head.id == kTrackEntry && number != nullptr && uid != nullptr) {
            result[ebml::read_unsigned(uid->content())] = ebml::read_unsigned(number->content()) - 1;
        }
    }
    return result;
}

// As matroskaenc writes it: hours, minutes, seconds with nine digits, filled up with zeros.
Bytes duration_tag(std::int64_t milliseconds) {
    const auto digits = [](std::int64_t value, std::size_t count) {
        const std::string text = std::to_string(value);
        return std::string(count - std::min(count, text.size()), '0') + text;
    };
    const std::int64_t seconds = milliseconds / 1000;
    std::string text = digits(seconds / 3600, 2) + ":" + digits(seconds / 60 % 60, 2) + ":" + digits(seconds % 60, 2) +
                       "." + digits(milliseconds % 1000, 3) + "000000";
    text.resize(kDurationText, '\0');
    Bytes content = ebml::element(kTagName, std::as_bytes(std::span(kDurationName)));
    ebml::append(content, ebml::element(kTagString, std::as_bytes(std::span(text))));
    return ebml::element(kSimpleTag, content);
}

bool is_duration_tag(const Part& simple) {
    const std::vector<Part> parts = parts_of(simple.content());
    const Part* name = find(parts, kTagName);
    return name != nullptr && name->content().size() == kDurationName.size() &&
           std::memcmp(name->content().data(), kDurationName.data(), kDurationName.size()) == 0;
}

// In the room that was left for it, or over the one of an earlier attempt.
void set_tag_duration(const Part& tag, std::int64_t end_ms) {
    const Bytes duration = duration_tag(end_ms);
    for (const Part& part : parts_of(tag.content())) {
        const bool room = part.head.id == kVoid || (part.head.id == kSimpleTag && is_duration_tag(part));
        if (room && part.whole.size() == duration.size()) {
            overwrite(part.whole, duration);
        }
    }
}

void set_tag_durations(const Part& tags, const Part& tracks, const std::vector<std::int64_t>& ends_ms) {
    const auto numbers = track_of_uid(tracks);
    for (const Part& tag : parts_of(tags.content())) {
        const std::vector<Part> parts = parts_of(tag.content());
        const Part* targets = find(parts, kTargets);
        const std::vector<Part> inside = targets == nullptr ? std::vector<Part>{} : parts_of(targets->content());
        const Part* uid = find(inside, kTagTrackUid);
        const auto found = uid == nullptr ? numbers.end() : numbers.find(ebml::read_unsigned(uid->content()));
        if (found != numbers.end() && found->second < ends_ms.size() && ends_ms[found->second] >= 0) {
            set_tag_duration(tag, ends_ms[found->second]);
        }
    }
    renew_checksum(tags);
}

// Points from the room in front to every element behind it, and to the index.
Bytes seek_head(const std::vector<Part>& parts, std::uint64_t cues, std::size_t room) {
    Bytes content;
    const auto add = [&](std::uint32_t id, std::uint64_t position) {
        Bytes id_bytes;
        for (int shift = 24; shift >= 0; shift -= 8) {
            id_bytes.push_back(static_cast<std::byte>(id >> shift & 0xff));
        }
        Bytes seek = ebml::element(kSeekId, id_bytes);
        ebml::append(seek, ebml::wide_element(kSeekPosition, position));
        ebml::append(content, ebml::element(kSeek, seek));
    };
    std::uint64_t position = 0;
    for (const Part& part : parts) {
        if (part.head.id != kVoid && part.head.id != kSeekHead) {
            add(part.head.id, position);
        }
        position += part.whole.size();
    }
    add(kCues, cues);
    Bytes result = ebml::element(kSeekHead, content);
    if (result.size() + 2 > room) {
        return {};
    }
    ebml::append(result, ebml::void_element(room - result.size()));
    return result;
}

struct Header {
    Bytes bytes;                      // of the file, up to the first cluster
    std::uint64_t segment_size = 0;   // offset of the Segment's size
    std::uint64_t content = 0;        // offset of what is in the Segment
};

Header read_header(Heads& heads) {
    Header header;
    const ebml::Head first = heads.head(0);
    const std::uint64_t at = first.whole();
    const ebml::Head segment = heads.head(at);
    if (segment.id != kSegment || segment.head_size != 12) {
        fail(heads.file(), "its Segment is not where it was written");
    }
    header.segment_size = at + 4;
    header.content = at + segment.head_size;
    std::uint64_t end = header.content;
    while (end < heads.end()) {
        const ebml::Head part = heads.head(end);
        if (part.id == kCluster) {
            break;
        }
        end += part.whole();
    }
    if (end > kMostHeaderBytes) {
        fail(heads.file(), "its header is larger than any that is written");
    }
    header.bytes.resize(static_cast<std::size_t>(end));
    heads.file().read(0, header.bytes);
    return header;
}

// The room in front may have been used by an earlier attempt: it then begins with a SeekHead.
std::size_t room_in_front(const std::vector<Part>& parts) {
    std::size_t room = 0;
    for (const Part& part : parts) {
        if (part.head.id != kVoid && part.head.id != kSeekHead) {
            break;
        }
        room += part.whole.size();
    }
    return room;
}

}   // namespace

void finish_matroska(PartFile& file, int video, const std::vector<std::int64_t>& ends_ms) {
    const std::uint64_t end = file.end();
    Heads heads(file.file(), end);
    Header header = read_header(heads);
    const Bytes cues = cues_element(CueFinder(heads, video, header.content).find(header.bytes.size()), video);

    const std::span<std::byte> content = std::span(header.bytes).subspan(static_cast<std::size_t>(header.content));
    const std::vector<Part> parts = parts_of(content);
    const Part* info = find(parts, kInfo);
    const Part* tracks = find(parts, kTracks);
    if (info == nullptr || tracks == nullptr) {
        fail(file.file(), "its header has no information or no tracks");
    }
    const auto longest = std::max_element(ends_ms.begin(), ends_ms.end());
    set_duration(*info, longest == ends_ms.end() ? 0.0 : static_cast<double>(*longest));
    if (const Part* tags = find(parts, kTags)) {
        set_tag_durations(*tags, *tracks, ends_ms);
    }
    overwrite(content, seek_head(parts, end - header.content, room_in_front(parts)));
    overwrite(std::span(header.bytes).subspan(static_cast<std::size_t>(header.segment_size)),
              ebml::wide_size(end + cues.size() - header.content));
    try {
        file.append(cues);
        file.commit();
    } catch (...) {
        file.cut(end);
        throw;
    }
    file.file().write(0, header.bytes);
    file.commit();
}

std::size_t cluster_bytes(std::span<const std::byte> bytes) {
    std::size_t clusters = 0;
    while (const auto head = ebml::read_head(bytes.subspan(clusters))) {
        if (head->id != kCluster || !head->size || head->whole() > bytes.size() - clusters) {
            break;
        }
        clusters += static_cast<std::size_t>(head->whole());
    }
    return clusters;
}

}   // namespace millstream
