// What is known of a picture beside its pixels: how it is to be shown, and what it was mastered for.
#pragma once

#include <string>

#include "media/av.h"
#include "media/probe.h"

namespace millstream {

/// Fills `video` with what the container and the first frame say of it: orientation, fields, HDR, film grain.
void describe_side_data(VideoStreamInfo& video, const AVStream& stream, const AVFrame& frame);

/// Puts it on an output stream, for the muxer.
void set_side_data(AVStream& stream, const HdrMetadata& hdr);

/// The display matrix of `from`, with its translation, which is in pixels, brought to the size `to` has.
void copy_display_matrix(const AVStream& from, AVStream& to);

/// In the form x265 (`master-display`), x264 (`mastering-display`) take: in units of 0.00002 and 0.0001 cd/m2.
std::string mastering_in_units(const MasteringDisplay& display);
/// In the form SVT-AV1 takes: plain decimals.
std::string mastering_in_decimals(const MasteringDisplay& display);
std::string light_words(const ContentLight& light);   ///< "1000,400"

}   // namespace millstream
