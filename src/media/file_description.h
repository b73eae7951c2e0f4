// What a file says of itself beside its packets and pictures: tags, chapters, attachments, side data of its video.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "media/probe.h"

namespace millstream {

/// Keys in lower case: Matroska writes them in capitals.
using Tags = std::map<std::string, std::string>;

struct ChapterDescription {
    double start_s = 0;
    double end_s = 0;
    Tags tags;
};

struct AttachmentDescription {
    std::string file_name;
    std::string mime_type;
    std::uint64_t bytes = 0;
    std::string hash;   ///< of its bytes, hexadecimal
};

struct StreamDescription {
    StreamInfo info;
    Tags tags;
    std::set<std::string> dispositions;   ///< FFmpeg's names: default, forced, attached_pic, ...
    bool text = false;                    ///< subtitles that are text, not pictures
    std::optional<AttachmentDescription> attachment;
};

/// What accompanies the pictures, as numbers with a name: `display matrix` (9), `mastering display` (x y of red, green,
/// blue and white, then the lowest and highest luminance in cd/m2), `content light level` (MaxCLL, MaxFALL in cd/m2).
struct SideDataDescription {
    std::string name;
    std::vector<double> values;
    std::string words;
};

struct FileDescription {
    Tags tags;
    std::vector<ChapterDescription> chapters;
    std::vector<StreamDescription> streams;
    std::vector<SideDataDescription> video_side_data;   ///< of the stream or of its first frame
};

/// Reads headers and decodes the first frame of source.video_stream. Throws Error(input) as probe() does.
FileDescription describe_contents(const SourceInfo& source);

/// 128 bits of bytes, hexadecimal; tells different contents apart, no protection against forgery.
std::string hash_of(const std::uint8_t* bytes, std::size_t size);

}   // namespace millstream
