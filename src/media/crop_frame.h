// The part of a decoded frame that is wanted.
#pragma once

#include "media/av.h"
#include "media/cropping.h"

namespace millstream {

/// `frame` then shows `area` only; no pixel is copied. Frames of another size than the whole stay as they are.
void cut_out(AVFrame& frame, const CropArea& area);

}   // namespace millstream
