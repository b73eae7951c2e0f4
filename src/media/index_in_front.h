// The index (moov) of an MP4 or MOV in front of its pictures, so that playing can start while the file is loading.
//
// Note [Index in front]
// The index is known only when everything is written, and moving everything back to make room would write the file
// twice. So room is left behind the first box, predicted from the number of frames; the muxer writes the index at the
// end as always, and in finish() it is copied into the room and cut off the end. Its offsets stay true: nothing it
// points at has moved. Where the room is too small the file is complete as it is. (The muxer's own way, `moov_size`,
// writes over the pictures and fails then.)
#pragma once

#include <cstdint>
#include <vector>

#include "media/carriage.h"
#include "media/part_file.h"
#include "media/probe.h"

namespace millstream {

/// Room to leave, in bytes: on the safe side for variable rates; 0 where the length is unknown.
std::uint64_t predicted_index_bytes(const SourceInfo& source, const std::vector<CarriedStream>& carried);

/// Copies the index into the room at `offset` and cuts it off the end. False, and nothing changed, where it does not
/// fit or the file has no index at its end. Throws Error(resource) when writing fails.
bool move_index_to_front(PartFile& file, std::uint64_t offset, std::uint64_t room);

}   // namespace millstream
