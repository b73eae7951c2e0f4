// FLV counts milliseconds in 32 bits, of which libavformat's writer fills 31: the clock of its files wraps after 24.8
// days, and at zero where they begin before it. Its reader takes 32, and makes a jump of 24.8 days of that.
#pragma once

#include <cstdint>

namespace millstream {

/// The time that `ticks` stands for: of those that share its 31 bits the first that is not long before `start`, where
/// the file begins. All in milliseconds; the same for every packet, wherever reading began.
inline std::int64_t unwrapped_flv_time(std::int64_t ticks, std::int64_t start) {
    constexpr std::int64_t kWrap = std::int64_t{1} << 31;
    constexpr std::int64_t kBeforeStart = 60'000;   // tags that are out of order, another stream's beginning
    const std::int64_t earliest = start - kBeforeStart;
    return earliest + ((ticks - earliest) & (kWrap - 1));
}

}   // namespace millstream
