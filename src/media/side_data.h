// What is known of a picture beside its pixels: how it is to be shown, and what it was mastered for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/av.h"
#include "media/probe.h"

namespace millstream {

/// Out of a display matrix (ISO/IEC 14496-12, 6.2.2); nothing where it turns by other than quarters, or scales.
std::optional<Orientation> orientation_of(const AVStream& stream);

/// Of the frame, else of the container.
std::optional<MasteringDisplay> mastering_display_of(const AVStream& stream, const AVFrame& frame);
std::optional<ContentLight> content_light_of(const AVStream& stream, const AVFrame& frame);

/// Puts them on an output stream, for the muxer.
void set_side_data(AVStream& stream, const HdrMetadata& hdr);

/// In the form x265 (`master-display`), x264 (`mastering-display`) take: in units of 0.00002 and 0.0001 cd/m2.
std::string mastering_in_units(const MasteringDisplay& display);
/// In the form SVT-AV1 takes: plain decimals.
std::string mastering_in_decimals(const MasteringDisplay& display);
std::string light_words(const ContentLight& light);   ///< "1000,400"

}   // namespace millstream
