// Where the fragments of a growing MP4 or MOV hold the samples of a track (ISO/IEC 14496-12, 8.8).
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/file.h"

namespace millstream {

struct ByteRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// Rising and apart, in [begin, end) of the file, whose boxes begin at `begin`. `tracks`: their IDs. A fragment that is
/// not what FFmpeg's muxer writes (Note [Finishing in place]) is passed over: nothing of it is in the result.
std::vector<ByteRange> fragment_samples(const File& file, std::uint64_t begin, std::uint64_t end,
                                        const std::set<std::uint64_t>& tracks);

}   // namespace millstream
