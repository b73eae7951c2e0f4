#include "temporal/blend_row.h"

#include <algorithm>
#include <cmath>

#include "base/vector_clones.h"
#include "temporal/blend_parameters.h"

namespace millstream::blend {

MILLSTREAM_VECTOR_CLONES
void mix_row(const float* above, const float* row, const float* below, const float* history, float gain, float offset,
             const float* weight, std::int64_t width, float* sums, float* to) {
    float* values = sums + 1;
    float* squares = sums + width + 3;
    for (std::int64_t x = 0; x < width; ++x) {
        values[x] = above[x] + row[x] + below[x];
        squares[x] = above[x] * above[x] + row[x] * row[x] + below[x] * below[x];
    }
    values[-1] = values[0];
    values[width] = values[width - 1];
    squares[-1] = squares[0];
    squares[width] = squares[width - 1];
    constexpr float ninth = 1.0F / 9;
    for (std::int64_t x = 0; x < width; ++x) {
        const float own = row[x];
        const float mean = (values[x - 1] + values[x] + values[x + 1]) * ninth;
        const float square = (squares[x - 1] + squares[x] + squares[x + 1]) * ninth;
        const float spread = kSpread * std::sqrt(std::max(square - mean * mean, 0.0F)) + kSlack;
        const float least = std::min(mean - spread, own - kSlack);
        const float most = std::max(mean + spread, own + kSlack);
        const float clipped = std::min(std::max(gain * history[x] + offset, least), most);
        const float mixed = own + weight[x] * (clipped - own);
        to[x] = std::min(std::max(mixed, std::min(own, 0.0F)), std::max(own, 1.0F));
    }
}

}   // namespace millstream::blend
