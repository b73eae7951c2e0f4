// Times that no recording has. Only damaged or hostile files say them, and sums of them would overflow.
#pragma once

#include <algorithm>
#include <cstdint>

#include "media/av.h"

namespace millstream {

inline constexpr double kMostSeconds = 1e11;   ///< 3000 years: live recordings count from 1970
inline constexpr std::int64_t kMostTicks = std::int64_t{1} << 60;
inline constexpr std::int64_t kMostFrames = std::int64_t{1} << 40;

/// Whether a time stamp or duration is one that sums may be made of. AV_NOPTS_VALUE is none.
inline bool is_sane_time(std::int64_t ticks, AVRational time_base) {
    const double seconds = static_cast<double>(ticks) * av_q2d(time_base);
    return ticks >= -kMostTicks && ticks <= kMostTicks && seconds >= -kMostSeconds && seconds <= kMostSeconds;
}

}   // namespace millstream
