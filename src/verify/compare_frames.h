// The enhanced stream, frame by frame.
#pragma once

#include <cstdint>
#include <functional>

#include "verify/compare_files.h"
#include "verify/frame_cursor.h"

namespace millstream {

/// Counts frames, compares their times and pictures, fills scenes and frame counts of the report. `tick` is called with
/// every frame of the source and may throw.
void compare_frames(const ComparedFile& source, FrameCursor& of_source, const ComparedFile& result,
                    FrameCursor& of_result, Findings& findings, VerifyReport& report,
                    const std::function<void(std::int64_t)>& tick);

}   // namespace millstream
