#include "verify/stream_pairs.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "media/carriage.h"
#include "verify/container_rules.h"

namespace millstream {
namespace {

using Streams = std::vector<const StreamDescription*>;

bool is_cover(const StreamDescription& stream) {
    return stream.info.video && stream.info.video->cover_art;
}

Streams of_kind(const FileDescription& file, StreamKind kind, bool cover, int enhanced) {
    Streams streams;
    for (const StreamDescription& stream : file.streams) {
        if (stream.info.kind == kind && is_cover(stream) == cover && stream.info.index != enhanced) {
            streams.push_back(&stream);
        }
    }
    return streams;
}

// 0 = no pair. Any pair is worth more than all likeness, so that as many as possible are made.
int likeness(const StreamDescription& a, const StreamDescription& b) {
    if (a.attachment && b.attachment) {
        return 1000 + (a.attachment->hash == b.attachment->hash ? 100 : 0) +
               (a.attachment->file_name == b.attachment->file_name ? 100 : 0);
    }
    const bool same_codec = a.info.codec == b.info.codec;
    if (!same_codec && !is_converted_text(a, b)) {
        return 0;
    }
    return 1000 + (same_codec ? 100 : 0) + (a.info.language == b.info.language ? 20 : 0) +
           (a.info.title == b.info.title ? 10 : 0) + (a.info.channels == b.info.channels ? 10 : 0) +
           (a.info.sample_rate == b.info.sample_rate ? 10 : 0);
}

// The alignment of two lists with the highest sum of likeness (dynamic programming from the end).
void align(const Streams& source, const Streams& result, std::vector<StreamPair>& pairs) {
    const std::size_t width = result.size() + 1;
    std::vector<int> best((source.size() + 1) * width, 0);
    const auto at = [&](std::size_t i, std::size_t j) -> int& { return best[i * width + j]; };
    const auto paired = [&](std::size_t i, std::size_t j) {
        const int alike = likeness(*source[i], *result[j]);
        return alike == 0 ? -1 : alike + at(i + 1, j + 1);
    };
    for (std::size_t i = source.size(); i-- > 0;) {
        for (std::size_t j = result.size(); j-- > 0;) {
            at(i, j) = std::max({at(i + 1, j), at(i, j + 1), paired(i, j)});
        }
    }
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < source.size() || j < result.size()) {
        if (i < source.size() && j < result.size() && paired(i, j) == at(i, j)) {
            pairs.push_back({source[i++], result[j++]});
        } else if (i < source.size() && (j == result.size() || at(i + 1, j) == at(i, j))) {
            pairs.push_back({source[i++], nullptr});
        } else {
            pairs.push_back({nullptr, result[j++]});
        }
    }
}

}   // namespace

int enhanced_stream(const SourceInfo& source, const SourceInfo& result, const VerifyOptions& options) {
    const auto is_film = [](const StreamInfo& stream) { return stream.video && !stream.video->cover_art; };
    const auto is_carried = [&](const StreamInfo& stream) {
        return std::count(options.left_out.begin(), options.left_out.end(), stream.index) == 0 &&
               decide_carriage(stream, container_of(result), options.convert_subtitles).stream.how != Carriage::drop;
    };
    auto before = std::count_if(source.streams.begin(), source.streams.begin() + source.video_stream,
                                [&](const StreamInfo& stream) { return is_film(stream) && is_carried(stream); });
    int found = result.video_stream;
    for (const StreamInfo& stream : result.streams) {
        if (is_film(stream) && before-- >= 0) {   // the last one where there are too few
            found = stream.index;
        }
    }
    return found;
}

bool is_converted_text(const StreamDescription& source, const StreamDescription& result) {
    return source.text && result.text && source.info.codec != result.info.codec;
}

std::vector<StreamPair> pair_streams(const FileDescription& source, int source_video, const FileDescription& result,
                                     int result_video) {
    std::vector<StreamPair> pairs;
    constexpr std::array kKinds = {StreamKind::video, StreamKind::audio, StreamKind::subtitle, StreamKind::data,
                                   StreamKind::attachment};
    for (const StreamKind kind : kKinds) {
        for (const bool cover : {false, true}) {
            align(of_kind(source, kind, cover, source_video), of_kind(result, kind, cover, result_video), pairs);
        }
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const StreamPair& a, const StreamPair& b) {
        constexpr int kLast = 1 << 20;
        return (a.source == nullptr ? kLast : a.source->info.index) <
               (b.source == nullptr ? kLast : b.source->info.index);
    });
    return pairs;
}

}   // namespace millstream
