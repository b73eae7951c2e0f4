// Whether a video is interlaced, and what to do about it.
#pragma once

#include <string>

#include "media/probe.h"
#include "millstream/options.h"

namespace millstream {

enum class DeinterlacedRate {
    none,     ///< frames pass as they are
    frames,   ///< a picture a frame, at the frame's own time
    fields    ///< a picture a field: twice the rate
};

struct Deinterlacing {
    DeinterlacedRate rate = DeinterlacedRate::none;
    bool top_field_first = true;
};

/// What the first frames of a video say, counted in frames.
struct InterlacingEvidence {
    int looked_at = 0;
    int flagged = 0;             ///< the codec says interlaced
    int flagged_top_first = 0;   ///< and that the top field comes first
    int combed = 0;              ///< what moves is torn into lines: two instants in one frame. Note [Combing]
    int whole = 0;               ///< what moves is of one instant
    int top_first = 0;           ///< the order of the fields in which movement is smooth (FFmpeg's idet)
    int bottom_first = 0;
};

/// Decodes up to 100 frames from the start, until 30 of them show enough motion to tell, and counts.
/// Looks at nothing where interlacing cannot be: codecs without it, more than 31 frames a second, over 1200 lines.
InterlacingEvidence look_for_interlacing(const SourceInfo& source);

/// What follows for `wish`. `automatic`: content that shows combing decides against flags; where it does not move, the
/// flags decide. `words` says what was found and done, a sentence; empty for an ordinary progressive video.
Deinterlacing decide_deinterlacing(const InterlacingEvidence& evidence, Deinterlace wish, std::string& words);

/// For pictures at field rate: the video stream of `source` gets half the tick and twice the rate and frames.
void use_field_rate(SourceInfo& source);

}   // namespace millstream
