// A fragmented MP4 or MOV becomes an ordinary one, in place.
//
// Note [Finishing in place]
// While it grows the file is
//     ftyp | free (room for the index, with --faststart) | free, 16 bytes | moov (empty) | moof mdat | moof mdat | ...
// and playable at any time. At the end its packets are read back and handed to a second muxer, which writes no
// fragments, under the same set-up; each is "written" to where it already is, so that the muxer notes the right place,
// and those bytes are only compared. What the muxer writes behind them, the index, is appended and synced: still the
// old file, with something unknown at its end. Then one write of 16 bytes turns the small free box into the header of a
// block of samples that reaches from there to the index:
//     ftyp | free | mdat ................................................... | moov
// Killed before that write, the file is cut back and this is done again; after it, the file is complete.
//
// Note [Payload]
// H.264, HEVC and AAC whose parameters stand in the header are written as they come: the muxer looks into none of their
// packets. So these are not read from the disk, which would take as long as copying the file: they are handed on as
// zeros, and what is compared is their places and sizes. Other codecs' packets are read: AV1 is taken apart, AC-3
// tells its layout.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "media/muxer.h"
#include "media/output_state.h"
#include "media/part_file.h"

namespace millstream {

/// Where things are in the file, which follows from the header alone.
struct MovRoom {
    std::uint64_t index_offset = 0;   ///< Note [Index in front]: its room; as many bytes as were asked for, or none
    std::uint64_t index_bytes = 0;
    std::uint64_t samples_offset = 0;   ///< of the 16 bytes
};

/// `header`: ftyp and moov as the muxer wrote them.
MovRoom mov_room(std::span<const std::byte> header, std::uint64_t index_bytes);
/// Appends the header with its rooms to an empty file.
void write_mov_header(PartFile& file, std::span<const std::byte> header, const MovRoom& room);
/// Makes the rooms free space again, for a file that an earlier run may have begun to finish.
void free_mov_rooms(PartFile& file, const MovRoom& room);

/// `tracks`: of the muxer that wrote the file, where they ended. `set_up` adds the tracks, tags and chapters to the
/// muxer, writes its header and covers, in that order. Throws Error(resource) where the disk is full, Error(internal)
/// where the packets read back are not those written; the file is then what it was.
void finish_mov(PartFile& file, const std::string& container, const MovRoom& room,
                const std::vector<TrackState>& tracks,
                const std::function<void(Muxer& muxer, const AVFormatContext& written)>& set_up);

}   // namespace millstream
