// What becomes of every stream of the source in the output's container. The one place that decides it.
#pragma once

#include <string>
#include <vector>

#include "media/probe.h"

namespace millstream {

enum class Carriage {
    copy,       ///< packets as they are
    convert,    ///< text subtitles in the container's own form
    attach,     ///< a file inside the file (Matroska): fonts, cover art
    cover,      ///< the cover picture of the file (MP4)
    metadata,   ///< no stream of its own: the muxer writes it from the chapters or the video's timecode
    drop
};

/// A stream that is carried over beside the enhanced video.
struct CarriedStream {
    int index = 0;   ///< in the source
    Carriage how = Carriage::copy;
    std::string codec;   ///< convert: FFmpeg's name of what it becomes
};

struct CarriageDecision {
    CarriedStream stream;
    std::string reason;   ///< convert: what it becomes; drop: why, and what would hold it. Else empty
};

/// `container`: FFmpeg muxer name. Converts only what loses nothing that is shown (plain text subtitles), unless
/// `convert_subtitles` asks for more.
CarriageDecision decide_carriage(const StreamInfo& stream, const std::string& container, bool convert_subtitles);

/// Throws Error(usage) where one of them begins later than the container can say: (E-)AC-3 in MP4 and MOV. Reads only
/// where there is such a stream, a few MiB at most.
void check_beginnings(const SourceInfo& source, const std::vector<CarriedStream>& streams,
                      const std::string& container);

/// Whether the container has a place for this key of a file's own metadata.
bool keeps_file_tag(const std::string& container, const std::string& key);

/// Keys of the source's own metadata that have no place in the container.
std::vector<std::string> lost_tags(const SourceInfo& source, const std::string& container);

}   // namespace millstream
