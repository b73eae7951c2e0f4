// The blend of one output row: a loop over pixels that the compiler vectorises; allocates nothing.
#pragma once

#include <cstdint>

namespace millstream::blend {

/// One channel: clips gain * `history` + offset to what the 3x3 around each pixel of `row` allows, and mixes it in.
/// `above`, `row`, `below`: as they were before anything was mixed. `sums` has room for 2 * (width + 2) values. `to`
/// may be `row`.
void mix_row(const float* above, const float* row, const float* below, const float* history, float gain, float offset,
             const float* weight, std::int64_t width, float* sums, float* to);

}   // namespace millstream::blend
