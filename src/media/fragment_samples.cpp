#include "media/fragment_samples.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "media/mov_box.h"

namespace millstream {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint64_t kMostHeadBytes = std::uint64_t{64} << 20;   // of a fragment, which is two seconds long

constexpr std::uint64_t kUsualHeadBytes = 8192;

// Flags of a track's head in a fragment (tfhd), and of a run of its samples (trun).
constexpr std::uint64_t kBaseOffset = 0x1;
constexpr std::uint64_t kDescription = 0x2;
constexpr std::uint64_t kDefaultDuration = 0x8;
constexpr std::uint64_t kDefaultSize = 0x10;
constexpr std::uint64_t kDataOffset = 0x1;
constexpr std::uint64_t kFirstFlags = 0x4;
constexpr std::uint64_t kDuration = 0x100;
constexpr std::uint64_t kSize = 0x200;
constexpr std::uint64_t kFlags = 0x400;
constexpr std::uint64_t kShownLater = 0x800;

// Numbers one behind the other; zeros behind the end.
class Reader {
public:
    explicit Reader(Bytes bytes) : bytes_(bytes) {}

    std::uint64_t take(std::size_t count) {
        count = std::min(count, bytes_.size());
        const std::uint64_t value = mov::number(bytes_.first(count));
        bytes_ = bytes_.subspan(count);
        return value;
    }
    void skip_if(bool there, std::size_t count) { bytes_ = bytes_.subspan(there ? std::min(count, bytes_.size()) : 0); }
    [[nodiscard]] std::size_t left() const { return bytes_.size(); }

private:
    Bytes bytes_;
};

// Calls `visit` with the type and the content of each box in `bytes`.
template <class Visit>
void for_each_box(Bytes bytes, const Visit& visit) {
    while (bytes.size() >= mov::kBoxHead) {
        const auto size = static_cast<std::size_t>(mov::number(bytes.first(4)));
        if (size < mov::kBoxHead || size > bytes.size()) {
            return;
        }
        visit(std::string_view(reinterpret_cast<const char*>(bytes.data()) + 4, 4),
              bytes.subspan(mov::kBoxHead, size - mov::kBoxHead));
        bytes = bytes.subspan(size);
    }
}

struct TrackHead {
    std::uint64_t track = 0;
    bool has_base = false;   // data is placed by the file, not by the fragment
    std::uint64_t sample_size = 0;
};

TrackHead track_head(Bytes content) {
    Reader reader(content);
    const std::uint64_t flags = reader.take(4);
    TrackHead head;
    head.track = reader.take(4);
    head.has_base = (flags & kBaseOffset) != 0;
    reader.skip_if(head.has_base, 8);
    reader.skip_if((flags & kDescription) != 0, 4);
    reader.skip_if((flags & kDefaultDuration) != 0, 4);
    head.sample_size = (flags & kDefaultSize) != 0 ? reader.take(4) : 0;
    return head;
}

// Of a run in the fragment that begins at `fragment`; nothing where it does not say where its samples are.
std::optional<ByteRange> run_of_samples(Bytes content, std::uint64_t fragment, std::uint64_t default_size) {
    Reader reader(content);
    const std::uint64_t flags = reader.take(4);
    const std::uint64_t count = reader.take(4);
    if ((flags & kDataOffset) == 0) {
        return std::nullopt;
    }
    ByteRange range;
    range.begin = fragment + reader.take(4);
    range.end = range.begin;
    reader.skip_if((flags & kFirstFlags) != 0, 4);
    if ((flags & kSize) == 0) {
        range.end += count * default_size;
        return range;
    }
    for (std::uint64_t i = 0; i < count && reader.left() > 0; ++i) {
        reader.skip_if((flags & kDuration) != 0, 4);
        range.end += reader.take(4);
        reader.skip_if((flags & kFlags) != 0, 4);
        reader.skip_if((flags & kShownLater) != 0, 4);
    }
    return range;
}

void add_samples(Bytes fragment, std::uint64_t offset, const std::set<std::uint64_t>& tracks,
                 std::vector<ByteRange>& ranges) {
    for_each_box(fragment, [&](std::string_view type, Bytes content) {
        if (type != "traf") {
            return;
        }
        TrackHead head;
        for_each_box(content, [&](std::string_view part, Bytes inside) {
            if (part == "tfhd") {
                head = track_head(inside);
            } else if (part == "trun" && !head.has_base && tracks.contains(head.track)) {
                if (const auto range = run_of_samples(inside, offset, head.sample_size)) {
                    ranges.push_back(*range);
                }
            }
        });
    });
}

}   // namespace

std::vector<ByteRange> fragment_samples(const File& file, std::uint64_t begin, std::uint64_t end,
                                        const std::set<std::uint64_t>& tracks) {
    std::vector<ByteRange> ranges;
    std::vector<std::byte> fragment;
    const auto next = [&](std::uint64_t offset) {
        // The head of a fragment whole, and that of its data: the disk is asked once.
        fragment.resize(static_cast<std::size_t>(std::min(kUsualHeadBytes, end - std::min(end, offset))));
        file.read(offset, fragment);
        return mov::box_at(file, offset, end);
    };
    for (auto box = next(begin); box; box = next(box->offset + box->size)) {
        if (box->type == "moof" && box->size <= kMostHeadBytes) {
            fragment.resize(static_cast<std::size_t>(box->size));
            file.read(box->offset, fragment);
            add_samples(std::span(fragment).subspan(mov::kBoxHead), box->offset, tracks, ranges);
        }
    }
    std::ranges::sort(ranges, {}, &ByteRange::begin);
    std::vector<ByteRange> apart;
    for (const ByteRange& range : ranges) {
        if (range.end > end || range.begin >= range.end) {
            continue;
        }
        if (!apart.empty() && range.begin <= apart.back().end) {
            apart.back().end = std::max(apart.back().end, range.end);
        } else {
            apart.push_back(range);
        }
    }
    return apart;
}

}   // namespace millstream
