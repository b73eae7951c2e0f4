#include "verify/compare_packets.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>

#include "media/packet_reader.h"
#include "verify/container_rules.h"
#include "verify/words.h"

namespace millstream {
namespace {

// A packet's facts take about 100 bytes: 10 MB at most are kept.
constexpr std::size_t kMostKept = 100'000;
// How far a missing or added packet is looked for.
constexpr std::size_t kResync = 16;

struct Track {
    StreamPair pair;
    bool as_text = false;
    bool converted = false;
    bool subtitle = false;
    std::int64_t position = 0;   // packets of the source so far
    std::deque<PacketFacts> source;
    std::deque<PacketFacts> result;
};

bool is_subtitle(const StreamPair& pair) {
    return pair.source->info.kind == StreamKind::subtitle;
}

// Subtitles are shown as they come; cover art is one picture, and compared as a packet.
bool is_decoded(const StreamPair& pair) {
    const StreamInfo& info = pair.result->info;
    return info.kind == StreamKind::audio || (info.video && !info.video->cover_art);
}

// Errors in decoding the streams of the source: what is damaged there may be damaged in the copy.
std::int64_t undecodable_in(const ComparedFile& source, const std::vector<StreamPair>& pairs) {
    std::vector<PacketStream> streams;
    for (const StreamPair& pair : pairs) {
        if (is_decoded(pair)) {
            streams.push_back({.index = pair.source->info.index, .decode = true});
        }
    }
    PacketReader reader(source.info, streams);
    while (reader.next()) {
    }
    return reader.undecodable();
}

// Time stamps that have been stored in this stream may be off by half a tick.
double tick_of(const StreamDescription& stream) {
    return stream.info.time_base.value();
}

class PacketComparison {
public:
    PacketComparison(const ComparedFile& source, const ComparedFile& result, const VerifyOptions& options,
                     Findings& findings)
        : source_(source), result_(result), options_(options), findings_(findings) {}

    // False when too much would have to be kept; nothing has been reported then.
    bool run(const std::vector<StreamPair>& pairs, const std::function<void(double)>& tick) {
        open(pairs);
        bool source_ended = false;
        bool result_ended = false;
        while (!source_ended || !result_ended) {
            // The side that is behind in bytes kept is read: its partner waits in the queues.
            const bool read_source = result_ended || (!source_ended && waiting_source_ <= waiting_result_);
            if (read_source) {
                source_ended = !take(*source_reader_, true, tick);
            } else {
                result_ended = !take(*result_reader_, false, tick);
            }
            if (tracks_.size() > 1 && waiting_source_ + waiting_result_ > kMostKept) {
                return false;
            }
        }
        for (Track& track : tracks_) {
            compare(track, true);
        }
        compare_decoding(pairs);
        return true;
    }

private:
    void compare_decoding(const std::vector<StreamPair>& pairs) {
        const auto differ = [&](const std::string& wanted, const std::string& found) {
            findings_.differ(CheckKind::decoding, {"result's copied streams", wanted, found});
        };
        findings_.compared(CheckKind::decoding, static_cast<std::int64_t>(pairs.size()));
        const std::int64_t found = result_reader_->undecodable();
        const std::int64_t wanted = found == 0 ? 0 : undecodable_in(source_, pairs);
        if (found > wanted) {
            differ(std::to_string(wanted) + " errors", std::to_string(found) + " errors");
        }
        if (result_reader_->truncated() && !source_reader_->truncated()) {
            differ("", "the file ends in the middle");
        }
    }

    void open(const std::vector<StreamPair>& pairs) {
        std::vector<PacketStream> of_source;
        std::vector<PacketStream> of_result;
        for (const StreamPair& pair : pairs) {
            Track track;
            track.pair = pair;
            track.converted = is_converted_text(*pair.source, *pair.result);
            track.subtitle = is_subtitle(pair);
            of_source.push_back({.index = pair.source->info.index, .as_text = track.converted});
            of_result.push_back(
                {.index = pair.result->info.index, .as_text = track.converted, .decode = is_decoded(pair)});
            tracks_.push_back(std::move(track));
        }
        source_reader_.emplace(source_.info, of_source);
        result_reader_.emplace(result_.info, of_result);
    }

    bool take(PacketReader& reader, bool of_source, const std::function<void(double)>& tick) {
        auto packet = reader.next();
        if (!packet) {
            return false;
        }
        for (Track& track : tracks_) {
            const StreamDescription& stream = of_source ? *track.pair.source : *track.pair.result;
            if (stream.info.index == packet->stream) {
                packet->pts_s -= of_source ? source_.first_frame_s : result_.first_frame_s;
                if (of_source) {
                    tick(packet->pts_s);
                }
                (of_source ? track.source : track.result).push_back(std::move(*packet));
                (of_source ? waiting_source_ : waiting_result_) += 1;
                compare(track, false);
                break;
            }
        }
        return true;
    }

    // Compares what both sides have; keeps kResync packets back until the end.
    void compare(Track& track, bool ended) {
        const std::size_t kept = ended ? 0 : kResync;
        while (track.source.size() > kept && track.result.size() > kept) {
            compare_front(track);
        }
        while (ended && !track.source.empty()) {
            if (is_left_out(track)) {
                pop_source(track);
            } else {
                report_missing(track);
            }
        }
        while (ended && !track.result.empty()) {
            report_added(track);
        }
    }

    // What is from before a cut is not in a container that would let it be heard.
    [[nodiscard]] bool is_left_out(const Track& track) const {
        const PacketFacts& front = track.source.front();
        return front.hidden && !is_mov(result_.info.container) &&
               (track.result.empty() || track.result.front().pts_s > front.pts_s + options_.time_tolerance_s);
    }

    void compare_front(Track& track) {
        if (is_left_out(track)) {
            pop_source(track);
            return;
        }
        const std::string& wanted = track.source.front().payload;
        const std::string& found = track.result.front().payload;
        if (wanted != found) {
            const std::size_t missing = distance(track.source, found);
            const std::size_t added = distance(track.result, wanted);
            if (missing != 0 && (added == 0 || missing <= added)) {
                report_missing(track);
                return;
            }
            if (added != 0) {
                report_added(track);
                return;
            }
            const auto words = [&](const std::string& payload) {
                return track.converted ? "\"" + payload.substr(0, 80) + "\"" : "hash " + payload;
            };
            report(CheckKind::packets, track, words(wanted), words(found));
        }
        findings_.compared(CheckKind::packets);
        compare_times(track);
        pop_source(track);
        pop_result(track);
    }

    // Where `payload` is among the next packets; 0 = nowhere.
    static std::size_t distance(const std::deque<PacketFacts>& packets, const std::string& payload) {
        for (std::size_t i = 1; i < std::min(packets.size(), kResync); ++i) {
            if (packets[i].payload == payload) {
                return i;
            }
        }
        return 0;
    }

    void compare_times(const Track& track) {
        const PacketFacts& wanted = track.source.front();
        const PacketFacts& found = track.result.front();
        findings_.compared(CheckKind::packet_times);
        constexpr double kRounding = 1e-6;
        if (std::abs(wanted.pts_s - found.pts_s) > options_.time_tolerance_s + kRounding) {
            report(CheckKind::packet_times, track, "at " + time_words(wanted.pts_s), "at " + time_words(found.pts_s));
        }
        // How long a subtitle is shown is part of it; of sound it follows from the payload.
        const double tolerance = options_.time_tolerance_s + tick_of(*track.pair.result) + kRounding;
        if (track.subtitle && wanted.duration_s > 0 && found.duration_s > 0 &&
            std::abs(wanted.duration_s - found.duration_s) > tolerance) {
            report(CheckKind::packet_times, track, "shown for " + time_words(wanted.duration_s),
                   "shown for " + time_words(found.duration_s));
        }
    }

    void report_missing(Track& track) {
        findings_.compared(CheckKind::packets);
        report(CheckKind::packets, track, "present at " + time_words(track.source.front().pts_s), "");
        pop_source(track);
    }

    void report_added(Track& track) {
        report(CheckKind::packets, track, "", "one more, at " + time_words(track.result.front().pts_s));
        pop_result(track);
    }

    void report(CheckKind kind, const Track& track, const std::string& wanted, const std::string& found) {
        const std::string time = track.source.empty() ? "" : " (" + fixed(track.source.front().pts_s, 3) + " s)";
        findings_.differ(
            kind, {stream_words(track.pair.source->info) + ", packet " + std::to_string(track.position) + time, wanted,
                   found});
    }

    void pop_source(Track& track) {
        track.source.pop_front();
        --waiting_source_;
        ++track.position;
    }
    void pop_result(Track& track) {
        track.result.pop_front();
        --waiting_result_;
    }

    const ComparedFile& source_;
    const ComparedFile& result_;
    const VerifyOptions& options_;
    Findings& findings_;
    std::vector<Track> tracks_;
    std::optional<PacketReader> source_reader_;
    std::optional<PacketReader> result_reader_;
    std::size_t waiting_source_ = 0;
    std::size_t waiting_result_ = 0;
};

bool run(const ComparedFile& source, const ComparedFile& result, const std::vector<StreamPair>& pairs,
         const VerifyOptions& options, Findings& findings, const std::function<void(double)>& tick) {
    Findings found = findings;   // given up where the comparison is
    if (!PacketComparison(source, result, options, found).run(pairs, tick)) {
        return false;
    }
    findings = std::move(found);
    return true;
}

}   // namespace

void compare_packets(const ComparedFile& source, const ComparedFile& result, const std::vector<StreamPair>& pairs,
                     const VerifyOptions& options, Findings& findings, const std::function<void(double)>& tick) {
    std::vector<StreamPair> paired;
    for (const StreamPair& pair : pairs) {
        if (pair.source != nullptr && pair.result != nullptr && !pair.source->attachment &&
            pair.source->info.kind != StreamKind::data) {
            paired.push_back(pair);
        }
    }
    if (paired.empty() || run(source, result, paired, options, findings, tick)) {
        return;
    }
    for (const StreamPair& pair : paired) {
        run(source, result, {pair}, options, findings, tick);
    }
}

}   // namespace millstream
