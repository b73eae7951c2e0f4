#include "media/finish_mov.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "media/demuxer.h"
#include "media/input_with_gaps.h"
#include "media/mov_box.h"
#include "media/text_box.h"

namespace millstream {
namespace {

constexpr std::uint64_t kLongBoxHeader = 16;
constexpr const char* kFinishing = "finishing the output";

std::array<std::byte, kLongBoxHeader> free_box(std::uint64_t size) {
    std::array<std::byte, kLongBoxHeader> box{};
    std::ranges::copy(mov::box_head(size, "free"), box.begin());
    return box;
}

// The header of a block of samples of this size; in the long form where the short one cannot hold it.
std::array<std::byte, kLongBoxHeader> samples_box(std::uint64_t size) {
    const bool is_long = size > std::numeric_limits<std::uint32_t>::max();
    std::array<std::byte, kLongBoxHeader> box{};
    std::ranges::copy(mov::box_head(is_long ? 1 : size, "mdat"), box.begin());
    if (is_long) {
        mov::put_number(std::span(box).subspan(mov::kBoxHead), size);
    }
    return box;
}

// What the second muxer writes: below `begin` it must be the packet that is there, behind it is new.
class IndexTarget : public OutputTarget {
public:
    explicit IndexTarget(std::uint64_t begin) : begin_(begin) {}

    void write(std::uint64_t position, std::span<const std::byte> bytes) override {
        if (position < begin_) {
            const auto* packet = reinterpret_cast<const std::byte*>(packet_->data);
            const std::uint64_t at = position - static_cast<std::uint64_t>(packet_->pos);
            same_ = same_ && position >= static_cast<std::uint64_t>(packet_->pos) &&
                    at + bytes.size() <= static_cast<std::uint64_t>(packet_->size) &&
                    (bytes.data() == packet + at || std::equal(bytes.begin(), bytes.end(), packet + at));
            return;
        }
        const auto at = static_cast<std::size_t>(position - begin_);
        tail_.resize(std::max(tail_.size(), at + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), tail_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    [[nodiscard]] std::uint64_t end() const override { return begin_ + tail_.size(); }

    void expect(const AVPacket& packet) { packet_ = &packet; }
    [[nodiscard]] bool same() const { return same_; }
    [[nodiscard]] std::span<const std::byte> tail() const { return tail_; }

private:
    std::uint64_t begin_;
    const AVPacket* packet_ = nullptr;
    bool same_ = true;
    std::vector<std::byte> tail_;
};

[[noreturn]] void fail(const PartFile& file, std::string why) {
    throw Error(ErrorKind::internal, {kFinishing, file.path().string(), std::move(why),
                                      "What is there plays; this is a defect of Millstream: please report it"});
}

// The tracks of the file that is read, in the order of the muxer's; covers have none.
std::vector<int> muxer_streams(const Muxer& muxer) {
    std::vector<int> streams;
    for (int i = 0; i < muxer.streams(); ++i) {
        if ((muxer.stream(i).disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
            streams.push_back(i);
        }
    }
    return streams;
}

bool is_text(const AVStream& stream) {
    return stream.codecpar->codec_id == AV_CODEC_ID_MOV_TEXT;
}

// Note [Payload]
std::set<std::uint64_t> tracks_of_payload(const Muxer& muxer, const AVFormatContext& written) {
    const auto is_payload = [](const AVCodecParameters& stream) {
        const bool pictures = stream.codec_id == AV_CODEC_ID_H264 || stream.codec_id == AV_CODEC_ID_HEVC;
        const bool described = stream.extradata_size > 0;
        return described && ((pictures && stream.extradata[0] == 1) || stream.codec_id == AV_CODEC_ID_AAC);
    };
    std::set<std::uint64_t> tracks;
    const std::vector<int> streams = muxer_streams(muxer);
    for (unsigned i = 0; i < written.nb_streams && i < streams.size(); ++i) {
        if (is_payload(*muxer.stream(streams[i]).codecpar)) {
            tracks.insert(static_cast<std::uint64_t>(written.streams[i]->id));
        }
    }
    return tracks;
}

constexpr int kEmptyText = 2;   // bytes: a length of 0

// The muxer ends a text by an empty one, which it would write in between pictures that are already in their places. So
// each text track begins with an empty sample that lasts for ever, and its texts follow at the end, behind all else.
void begin_texts(Muxer& muxer, const std::vector<int>& streams) {
    for (const int stream : streams) {
        if (is_text(muxer.stream(stream))) {
            const av::Packet empty = av::make_packet();
            av::check(av_new_packet(empty.get(), kEmptyText), ErrorKind::resource, kFinishing, "");
            std::fill_n(empty->data, kEmptyText, std::uint8_t{0});
            empty->stream_index = stream;
            empty->pts = 0;
            empty->dts = 0;
            empty->duration = std::numeric_limits<std::int32_t>::max();
            muxer.write(*empty);
        }
    }
}

// A reader takes durations from the packet that follows in decoding order: not how long the last picture is shown.
void complete_last(AVPacket& packet, const TrackState& track) {
    if (packet.pts == track.shown_last && track.end) {
        packet.duration = *track.end - packet.pts;
    }
}

// Reads every packet back and has it noted where it is.
void note_packets(Demuxer& written, Muxer& muxer, IndexTarget& target, const PartFile& file,
                  const std::vector<TrackState>& tracks) {
    const std::vector<int> streams = muxer_streams(muxer);
    const av::Packet packet = av::make_packet();
    while (written.read(*packet)) {
        const auto track = static_cast<std::size_t>(packet->stream_index);
        if (track >= streams.size() || packet->pos < 0) {
            fail(file, "a packet that was read back has no track or no place");
        }
        packet->stream_index = streams[track];
        av_packet_free_side_data(packet.get());
        complete_last(*packet, tracks.at(static_cast<std::size_t>(packet->stream_index)));
        if (is_text(muxer.stream(packet->stream_index))) {
            continue;   // an empty one that the muxer has made up
        }
        const std::int64_t place = packet->pos;
        const std::int64_t end = place + packet->size;
        target.expect(*packet);
        muxer.seek(place);
        muxer.write(*packet);
        if (muxer.position() != end) {
            fail(file, "a packet would be written in another form than it is there");
        }
    }
    muxer.seek(static_cast<std::int64_t>(target.end()));
}

// The index is the last box of the tail.
std::uint64_t index_in(std::span<const std::byte> tail) {
    for (std::size_t at = 0; at + mov::kBoxHead <= tail.size(); ++at) {
        const bool named = std::memcmp(tail.data() + at + 4, "moov", 4) == 0;
        if (named && mov::number(tail.subspan(at, 4)) == tail.size() - at) {
            return at;
        }
    }
    return tail.size();
}

}   // namespace

MovRoom mov_room(std::span<const std::byte> header, std::uint64_t index_bytes) {
    const std::uint64_t first = mov::number(header.first(4));
    return {first, index_bytes, first + index_bytes};
}

void write_mov_header(PartFile& file, std::span<const std::byte> header, const MovRoom& room) {
    const auto first = static_cast<std::size_t>(room.index_offset);
    file.append(header.first(first));
    file.skip(room.index_bytes + kLongBoxHeader);
    free_mov_rooms(file, room);
    file.append(header.subspan(first));
}

void free_mov_rooms(PartFile& file, const MovRoom& room) {
    if (room.index_bytes > 0) {
        const auto box = free_box(room.index_bytes);
        file.file().write(room.index_offset, std::span(box).first(mov::kBoxHead));
    }
    const auto box = free_box(kLongBoxHeader);
    file.file().write(room.samples_offset, box);
}

void finish_mov(PartFile& file, const std::string& container, const MovRoom& room,
                const std::vector<TrackState>& tracks,
                const std::function<void(Muxer& muxer, const AVFormatContext& written)>& set_up) {
    const std::uint64_t end = file.end();
    IndexTarget target(end);
    {
        Gaps gaps;   // none while it is opened, which looks into the first packets
        Demuxer written(open_with_gaps(file.file(), end, gaps), file.path().string(), {}, nullptr,
                        PacketForm::as_stored);
        Muxer muxer(target, container, file.path().string());
        muxer.seek(static_cast<std::int64_t>(end));
        set_up(muxer, written.context());
        begin_texts(muxer, muxer_streams(muxer));
        muxer.seek(static_cast<std::int64_t>(muxer.position()));   // all so far is in the target
        gaps.ranges = fragment_samples(file.file(), room.samples_offset + kLongBoxHeader, end,
                                       tracks_of_payload(muxer, written.context()));
        muxer.pass_on_uncopied();
        note_packets(written, muxer, target, file, tracks);
        for (const av::Packet& text : read_texts(file, room.samples_offset + kLongBoxHeader)) {
            muxer.write(*text);
        }
        muxer.finish();
    }
    const std::uint64_t index = index_in(target.tail());
    if (!target.same() || index == target.tail().size()) {
        fail(file,
             target.same() ? "the muxer has written no index" : "what was read back is not what would be written");
    }
    try {
        file.append(target.tail());
        file.commit();
    } catch (...) {
        file.cut(end);
        throw;
    }
    file.file().write(room.samples_offset, samples_box(end + index - room.samples_offset));
    file.commit();
}

}   // namespace millstream
