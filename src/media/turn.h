// Turning a picture by quarters and mirroring it, sample by sample: nothing is resampled.
#pragma once

#include "media/probe.h"
#include "picture/picture.h"

namespace millstream {

/// What a picture becomes when it is turned as `orientation` says it is to be shown.
PixelFormat turned(PixelFormat format, const Orientation& orientation);
Size turned(Size size, const Orientation& orientation);
Rational turned(Rational sample_aspect, const Orientation& orientation);
/// Where chroma would lie beyond the right or lower luma sample, which no format can say, half-way is the nearest.
ChromaLocation turned(ChromaLocation location, const Orientation& orientation);

/// A new picture of `pool`, whose format and size are the turned ones. Time stamps and flags are kept; fields are not:
/// a turned picture has none.
Picture turn(const Picture& picture, const Orientation& orientation, PicturePool& pool);

}   // namespace millstream
