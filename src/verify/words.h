// Places and values as the report names them.
#pragma once

#include <cstdint>
#include <string>

#include "media/probe.h"

namespace millstream {

std::string time_words(double seconds);   ///< "12.345 s"
std::string fixed(double value, int decimals);
std::string frame_words(std::int64_t frame, double seconds);   ///< "frame 17 (0.708 s)"
std::string stream_words(const StreamInfo& stream);            ///< "stream 2 (audio aac, jpn)"

}   // namespace millstream
