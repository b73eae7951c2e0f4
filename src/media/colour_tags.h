// Colour as FFmpeg tags it <-> Colour. Both count in H.273 code points; FFmpeg's 1..n chroma locations are ours too.
#pragma once

#include "media/av.h"
#include "picture/picture.h"

namespace millstream {

/// What the frame says; where it is silent, what the container says. Range unspecified: full for rgb, and for gray out
/// of a lossless codec (still pictures), else limited.
Colour colour_of(const AVFrame& frame, const AVCodecParameters& container);

/// The same from the container alone, for streams that are not decoded.
Colour colour_of(const AVCodecParameters& container);

/// Tags the encoder. The muxer takes them from its parameters.
void tag(AVCodecContext& encoder, const Colour& colour, const PixelFormat& format);

/// H.273 MatrixCoefficients that the frame says; 2 = it says none, or none that is known.
int matrix_of(const AVFrame& frame);

}   // namespace millstream
