// Parameter sets (SPS, PPS and their like), which a file holds once for all its chunks.
#pragma once

#include <string>

#include "media/av.h"

namespace millstream {

/// SHA-256 of an opened encoder's, without remarks of its own (SEI).
std::string parameter_sets_hash(const AVCodecContext& encoder);

/// H.264's level between 1.0 and 1.1, which small pictures at up to 128 kbit/s get, as EncoderSettings::level has it.
inline constexpr int kLevel1b = 9;

/// The level that an opened H.264 or HEVC encoder has chosen, as EncoderSettings::level has it; 0 = none, or unknown.
int level_of(const AVCodecContext& encoder);

/// Gives a video stream the parameter sets of another, in the form that a file holds them in.
void adopt_parameter_sets(AVStream& to, const AVStream& from);

}   // namespace millstream
