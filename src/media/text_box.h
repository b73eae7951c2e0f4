// Subtitles of a growing MP4 or MOV.
//
// Note [Texts beside fragments]
// In fragments FFmpeg's muxer would end each text by an empty one, whose time it makes up anew in every fragment: texts
// were seen to move by a second. So they are kept in the file as what they are, in free space behind the fragment of the
// same time (players pass it over), and become samples with the index (Note [Finishing in place]). An unfinished file
// shows no subtitles.
#pragma once

#include <cstddef>
#include <vector>

#include "media/av.h"
#include "media/part_file.h"

namespace millstream {

/// Adds a packet (its stream, pts, duration and payload, in the muxer's time base) to `texts`.
void keep_text(std::vector<std::byte>& texts, const AVPacket& packet);

/// Appends what was kept, if anything, as one box, and forgets it.
void append_texts(PartFile& file, std::vector<std::byte>& texts);

/// Every text of the file, in its order. `begin`: of its first box that may hold any. Throws Error(internal) where a box
/// cannot be read.
std::vector<av::Packet> read_texts(const PartFile& file, std::uint64_t begin);

}   // namespace millstream
