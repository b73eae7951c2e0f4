#include "media/carriage.h"

extern "C" {
#include <libavutil/avstring.h>
}

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "media/av.h"
#include "media/encoding.h"

namespace millstream {
namespace {

constexpr std::uint32_t kTimecodeTag = MKTAG('t', 'm', 'c', 'd');
constexpr std::uint32_t kGoProTag = MKTAG('g', 'p', 'm', 'd');

bool is_mov(std::string_view container) {
    return container == "mp4" || container == "mov";
}

CarriageDecision keep(const StreamInfo& stream, Carriage how) {
    return {{stream.index, how, ""}, ""};
}

CarriageDecision drop(const StreamInfo& stream, std::string reason) {
    return {{stream.index, Carriage::drop, ""}, std::move(reason)};
}

CarriageDecision convert(const StreamInfo& stream, const std::string& codec, const std::string& container) {
    return {{stream.index, Carriage::convert, codec},
            "to " + codec + ": " + extension_of(container) + " cannot hold " + stream.codec};
}

CarriageDecision carry_cover(const StreamInfo& stream, const std::string& container) {
    if (container == "matroska") {
        return keep(stream, Carriage::attach);
    }
    const bool known = stream.codec == "mjpeg" || stream.codec == "png" || stream.codec == "bmp";
    if (container == "mp4" && known) {
        return keep(stream, Carriage::cover);
    }
    return drop(stream,
                extension_of(container) + " cannot hold this cover picture; use " + (known ? ".mkv or .mp4" : ".mkv"));
}

bool is_plain_text(const std::string& codec) {
    return codec == "subrip" || codec == "text" || codec == "webvtt" || codec == "mov_text";
}

bool is_styled_text(const std::string& codec) {
    return codec == "ass" || codec == "ssa";
}

CarriageDecision carry_subtitle(const StreamInfo& stream, const std::string& container, bool convert_anyway) {
    const std::string why = cannot_hold(container, stream);
    if (why.empty()) {
        return keep(stream, Carriage::copy);
    }
    const bool plain = is_plain_text(stream.codec);
    if (!plain && !is_styled_text(stream.codec)) {
        return drop(stream, why);
    }
    const std::string target = is_mov(container) ? "mov_text" : container == "webm" ? "webvtt" : "subrip";
    if (convert_anyway || (plain && target != "webvtt")) {
        return convert(stream, target, container);
    }
    return drop(stream, extension_of(container) + " cannot hold " + stream.codec +
                            "; use .mkv, or --convert-subtitles" + (plain ? "" : ", which loses their styling"));
}

CarriageDecision carry_data(const StreamInfo& stream, const std::string& container) {
    if (stream.chapter_titles || (stream.codec_tag == kTimecodeTag && !stream.timecode.empty())) {
        return keep(stream, Carriage::metadata);
    }
    if (stream.codec_tag == kGoProTag) {
        return container == "mp4" ? keep(stream, Carriage::copy)
                                  : drop(stream, extension_of(container) + " cannot hold it; use .mp4");
    }
    return drop(stream, "no container written here can hold this data");
}

// What movenc writes of the file's own metadata (FFmpeg 5.1, mov_write_ilst_tag), beside what it makes itself.
constexpr std::array<std::string_view, 29> kMp4Tags{
    "title",      "artist",    "album_artist", "composer",         "album",       "date",          "comment",
    "genre",      "copyright", "grouping",     "lyrics",           "description", "synopsis",      "show",
    "episode_id", "network",   "keywords",     "episode_sort",     "track",       "season_number", "media_type",
    "hd_video",   "disc",      "compilation",  "gapless_playback", "timecode",    "creation_time", "encoder",
    "location"};

// About the source's container rather than what is in it.
constexpr std::array<std::string_view, 4> kOfTheContainer{"major_brand", "minor_version", "compatible_brands",
                                                          "encoder"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, const std::string& tag) {
    // "title-eng" is the title in English.
    const std::string key = tag.size() > 4 && tag[tag.size() - 4] == '-' ? tag.substr(0, tag.size() - 4) : tag;
    return std::any_of(list.begin(), list.end(),
                       [&](std::string_view known) { return av_strcasecmp(known.data(), key.c_str()) == 0; });
}

}   // namespace

CarriageDecision decide_carriage(const StreamInfo& stream, const std::string& container, bool convert_subtitles) {
    if (stream.video && stream.video->cover_art) {
        return carry_cover(stream, container);
    }
    switch (stream.kind) {
        case StreamKind::attachment:
            return container == "matroska"
                       ? keep(stream, Carriage::attach)
                       : drop(stream, extension_of(container) + " cannot hold attachments; use .mkv");
        case StreamKind::subtitle:
            return carry_subtitle(stream, container, convert_subtitles);
        case StreamKind::data:
            return carry_data(stream, container);
        case StreamKind::audio:
            if (stream.sample_rate == 0) {   // see LateParameters
                return drop(stream, "there is nothing of it in the first 512 MiB of the input");
            }
            break;
        case StreamKind::video:
            break;
    }
    const std::string why = cannot_hold(container, stream);
    return why.empty() ? keep(stream, Carriage::copy) : drop(stream, why);
}

// Matroska takes any key, and so does a MOV (Note [Metadata keys] in output_tracks.cpp).
bool keeps_file_tag(const std::string& container, const std::string& key) {
    return container != "mp4" || contains(kMp4Tags, key);
}

std::vector<std::string> lost_tags(const SourceInfo& source, const std::string& container) {
    std::vector<std::string> lost;
    std::copy_if(source.tags.begin(), source.tags.end(), std::back_inserter(lost), [&](const std::string& key) {
        return !keeps_file_tag(container, key) && !contains(kOfTheContainer, key);
    });
    return lost;
}

}   // namespace millstream
