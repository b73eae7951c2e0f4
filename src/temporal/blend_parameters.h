// Constants of the blend, shared by its two implementations.
#pragma once

namespace millstream::blend {

inline constexpr float kSpread = 0.6F;        // standard deviations of the 3x3 that history may differ from its mean
inline constexpr float kSlack = 2.0F / 255;   // and as much in any case, from the mean and from the pixel itself:
                                              // without the latter, isolated detail would be smoothed away

}   // namespace millstream::blend
