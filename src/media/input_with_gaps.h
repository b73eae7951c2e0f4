// A file that is being written, as a demuxer reads it: some of it need not be read.
#pragma once

#include <cstdint>
#include <vector>

#include "base/file.h"
#include "media/fragment_samples.h"
#include "media/input_io.h"

namespace millstream {

/// What is left out, which may be said while the file is being read. Must outlive the input.
struct Gaps {
    std::vector<ByteRange> ranges;   ///< rising and apart; read as zeros, without touching the disk
};

/// The first `end` bytes of `file`, which must outlive the result. A failing read is an error of the AVIOContext.
InputIo open_with_gaps(const File& file, std::uint64_t end, const Gaps& gaps);

}   // namespace millstream
