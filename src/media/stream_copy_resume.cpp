// Going on with a copy where an earlier run has stopped.
//
// Note [Copies resumed]
// What was taken of the source is a part of it from its start on, in the source's order: a packet waits for all before
// it. So each stream is cut at one place, and that is found again by its last packet. Seeking goes to a point well
// before it; packets are dropped up to the last one that was taken, which must come by with the same dts, size and
// checksum (subtitles and data may be so sparse that theirs lies before the point: there the dts decides). Where a
// source had to be repaired, or the packet does not come by, the source is read from its start and packets are counted.
#include <algorithm>
#include <limits>

extern "C" {
#include <libavutil/crc.h>
}

#include "media/stream_copy.h"

namespace millstream {
namespace {

constexpr double kMargins_s[] = {2, 15, 60};
constexpr std::size_t kMostPackets = 4000;
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

bool is_steady(const AVStream& stream) {
    const AVMediaType type = stream.codecpar->codec_type;
    return type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO;
}

std::uint32_t check_of(const AVPacket& packet) {
    return av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), 0, packet.data, static_cast<std::size_t>(packet.size));
}

bool is_last(const AVPacket& packet, const CopiedState& state) {
    return packet.dts == state.last_dts && packet.size == state.last_bytes && check_of(packet) == state.last_check;
}

}   // namespace

void StreamCopy::pop() {
    const AVPacket& packet = *ahead_.front();
    CopiedState& taken = tracks_[static_cast<std::size_t>(packet.stream_index)].taken;
    ++taken.packets;
    marked_ += (packet.flags & AV_PKT_FLAG_CORRUPT) != 0 ? 1 : 0;
    taken.last_dts = packet.dts;
    taken.last_bytes = packet.size;
    taken.last_check = check_of(packet);
    ahead_.pop_front();
}

std::vector<CopiedState> StreamCopy::state() const {
    std::vector<CopiedState> states;
    for (const Track& track : tracks_) {
        states.push_back(track.taken);
    }
    return states;
}

void StreamCopy::take_until(const std::vector<CopiedState>& state) {
    std::int64_t left = 0;
    for (const CopiedState& track : state) {
        left += track.packets;
    }
    while (left > 0 && peek() != nullptr) {
        pop();
        --left;
    }
    marked_ = 0;   // the run before has counted them
}

bool StreamCopy::seek_behind(const std::vector<CopiedState>& state) {
    double earliest_s = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
        if (must_be_found(i, state)) {
            const double last_s = static_cast<double>(state.at(i).last_dts) * av_q2d(tracks_[i].stream->time_base);
            earliest_s = std::min(earliest_s, last_s);
        }
    }
    if (earliest_s == std::numeric_limits<double>::max()) {
        return false;
    }
    const std::int64_t start = demuxer_.context().start_time;
    earliest_s -= start == AV_NOPTS_VALUE ? 0 : static_cast<double>(start) / AV_TIME_BASE;
    for (const double margin : kMargins_s) {
        if (earliest_s <= margin) {
            return false;   // reading from the start costs no more
        }
        forget_what_was_read();
        demuxer_.seek_near(earliest_s - margin);
        if (find_behind(state)) {
            for (std::size_t i = 0; i < tracks_.size(); ++i) {
                tracks_[i].taken = state.at(i);
            }
            return true;
        }
    }
    return false;
}

bool StreamCopy::must_be_found(std::size_t track, const std::vector<CopiedState>& state) const {
    return state.at(track).packets > 0 && is_steady(*tracks_[track].stream);
}

void StreamCopy::forget_what_was_read() {
    ahead_.clear();
    for (Track& track : tracks_) {
        track.expected_dts.reset();
        if (track.filter) {
            av_bsf_flush(track.filter.get());
        }
    }
}

// Reads on until the last packet of every track that must be found has come by. What take() keeps is behind it.
bool StreamCopy::find_behind(const std::vector<CopiedState>& state) {
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
        tracks_[i].behind = state.at(i);
        tracks_[i].found = !must_be_found(i, state);
    }
    std::size_t bytes = 0;
    std::size_t looked_at = 0;
    while (!std::all_of(tracks_.begin(), tracks_.end(), [](const Track& track) { return track.found; })) {
        if (!read_one()) {
            return false;
        }
        for (; looked_at < ahead_.size(); ++looked_at) {
            const AVPacket& packet = *ahead_[looked_at];
            bytes += static_cast<std::size_t>(packet.size);
            if (!tracks_[static_cast<std::size_t>(packet.stream_index)].found) {
                return false;   // beyond the place, and the last packet has not come by
            }
        }
        if (looked_at > kMostPackets || bytes > kMostBytes) {
            return false;
        }
    }
    return true;
}

// Whether an earlier run has taken it.
bool StreamCopy::was_taken(Track& track, const AVPacket& packet) {
    if (track.behind.packets == 0 || packet.dts > track.behind.last_dts) {
        return false;
    }
    track.found = track.found || is_last(packet, track.behind);
    return true;
}

}   // namespace millstream
