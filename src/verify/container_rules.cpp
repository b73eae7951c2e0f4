#include "verify/container_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace millstream {
namespace {

template <std::size_t Count>
bool among(const std::array<std::string_view, Count>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Written by muxers, encoders and muxing programs about themselves.
constexpr std::array<std::string_view, 9> kOwnTags = {"encoder",       "encoded_by",        "major_brand",
                                                      "minor_version", "compatible_brands", "creation_tool",
                                                      "creation tool", "vendor_id",         "duration"};
// Of a stream also: names that muxers give handlers, mkvmerge's statistics, and what is compared by itself.
constexpr std::array<std::string_view, 8> kOwnStreamTags = {"handler_name",     "creation_time",   "bps",
                                                            "number_of_frames", "number_of_bytes", "timecode",
                                                            "filename",         "alpha_mode"};

// Muxers write a date in their own form: "2016-05-31 17:01:35" becomes "2016-05-31T17:01:35.000000Z".
std::string comparable_date(std::string date) {
    constexpr std::size_t kDate = 10;
    constexpr std::size_t kWithTime = 19;
    const bool plain = date.size() == kWithTime && date[4] == '-' && date[kDate] == ' ' && date[kDate + 3] == ':';
    if (plain) {
        date[kDate] = 'T';
        date += 'Z';
    }
    const auto point = date.find('.');
    if (point != std::string::npos && date.find('T') != std::string::npos) {
        date.erase(point, date.find_first_not_of("0123456789", point + 1) - point);
    }
    return date;
}

// MP4 stores a place as numbers (3GPP TS 26.244, 8.10): how many zeros end them is the writer's affair.
std::string comparable_place(const std::string& place) {
    std::string text;
    bool fraction = false;
    for (const char letter : place) {
        if (fraction && (letter < '0' || letter > '9')) {
            text.erase(text.find_last_not_of('0') + 1);
            fraction = false;
        }
        fraction = fraction || letter == '.';
        text += letter;
    }
    return text;
}

bool says_nothing(const std::string& key, const std::string& value) {
    return value.empty() || (key.starts_with("language") && value == "und");
}

// Statistics carry their language: BPS-eng. `_STATISTICS_...` says who counted.
bool is_own_stream_tag(const std::string& key) {
    return key.starts_with("_statistics_") || among(kOwnStreamTags, std::string_view(key).substr(0, key.find('-'))) ||
           among(kOwnTags, std::string_view(key).substr(0, key.find('-')));
}

}   // namespace

bool is_matroska(const std::string& demuxer) {
    return demuxer.starts_with("matroska");
}

bool is_mov(const std::string& demuxer) {
    return demuxer.starts_with("mov");
}

std::string container_of(const SourceInfo& result) {
    std::string extension = result.path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    if (is_matroska(result.container)) {
        return extension == ".webm" ? "webm" : "matroska";
    }
    if (is_mov(result.container)) {
        return extension == ".mov" ? "mov" : "mp4";
    }
    return result.container;
}

Tags comparable_file_tags(const Tags& tags) {
    Tags kept;
    for (const auto& [key, value] : tags) {
        if (!among(kOwnTags, key) && !says_nothing(key, value)) {
            kept[key] = key.starts_with("location") ? comparable_place(value) : comparable_date(value);
        }
    }
    return kept;
}

Tags comparable_stream_tags(const Tags& tags) {
    Tags kept;
    for (const auto& [key, value] : tags) {
        if (!is_own_stream_tag(key) && !says_nothing(key, value)) {
            kept[key] = value;
        }
    }
    return kept;
}

// FFmpeg keeps no title of a track in MP4, only its language.
bool keeps_stream_tag(const std::string& container, const std::string& key) {
    return (container != "mp4" && container != "mov") || key == "language";
}

std::set<std::string> kept_dispositions(const std::string& container, StreamKind kind,
                                        const std::set<std::string>& dispositions) {
    constexpr std::array<std::string_view, 6> kMatroska = {"default",         "forced",   "hearing_impaired",
                                                           "visual_impaired", "original", "comment"};
    constexpr std::array<std::string_view, 5> kMp4 = {"default", "comment", "dub", "hearing_impaired",
                                                      "visual_impaired"};
    std::set<std::string> kept;
    for (const std::string& name : dispositions) {
        const bool cover = name == "attached_pic";
        const bool kept_there = container == "matroska" ? among(kMatroska, name)
                                : container == "webm"   ? name == "default" || name == "forced"
                                : container == "mp4"
                                    ? among(kMp4, name) || (kind == StreamKind::subtitle && name == "forced")
                                    : name == "default";
        if (cover || kept_there) {
            kept.insert(name);
        }
    }
    return kept;
}

}   // namespace millstream
