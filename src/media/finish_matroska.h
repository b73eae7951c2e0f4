// A Matroska or WebM that has grown by clusters gets what only its end can tell: index, duration, sizes.
//
// FFmpeg's muxer leaves room for all of it in the header it writes first: an empty element before the Segment's
// information, one of 11 bytes inside it for the duration, one for each track's tag DURATION, and a Segment size that
// says "unknown". The index (Cues) is appended first and synced, then the header is written over, once: killed in
// between, the file is what it was with something behind it, and this is done again. Written from the file alone: the
// heads of its elements are read, not what is in them. Source: RFC 9559 (Matroska), FFmpeg 5.1, matroskaenc.c.
#pragma once

#include <cstdint>
#include <vector>

#include "media/part_file.h"

namespace millstream {

/// `video`: number of the video's track, from 1 on. `ends_ms`: of each track, in the order of their numbers; -1 = it
/// has no packet. Throws Error(resource) where the disk is full, Error(internal) where the file is not what was
/// written.
void finish_matroska(PartFile& file, int video, const std::vector<std::int64_t>& ends_ms);

/// How many of the bytes that a muxer wrote at its end are clusters: what follows is its index of these alone.
std::size_t cluster_bytes(std::span<const std::byte> bytes);

}   // namespace millstream
