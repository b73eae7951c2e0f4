#include "motion/compensation_rows.h"

#include <algorithm>
#include <cmath>

#include "base/vector_clones.h"
#include "motion/compensation.h"

namespace millstream::compensation {
namespace {

constexpr float kLuma[3] = {0.299F, 0.587F, 0.114F};

MILLSTREAM_VECTOR_PART void rest_part(float* flow_x, float* flow_y, std::int64_t count) {
    for (std::int64_t x = 0; x < count; ++x) {
        const bool moves = flow_x[x] * flow_x[x] + flow_y[x] * flow_y[x] >= kDeadZone * kDeadZone;
        flow_x[x] = moves ? flow_x[x] : 0.0F;
        flow_y[x] = moves ? flow_y[x] : 0.0F;
    }
}

}   // namespace

MILLSTREAM_VECTOR_CLONES
void rest(float* flow_x, float* flow_y, std::int64_t count) {
    rest_part(flow_x, flow_y, count);
}

MILLSTREAM_VECTOR_CLONES
void compensate_row(const Planes& now, const Planes& before, Light light, std::int64_t y, const CompensatedRow& to) {
    const std::int64_t width = now.width;
    const auto right = static_cast<float>(width - 1);
    const auto bottom = static_cast<float>(now.height - 1);
    const auto row = static_cast<float>(y);
    rest_part(to.flow_x, to.flow_y, width);
    for (std::int64_t x = 0; x < width; ++x) {
        const float to_x = static_cast<float>(x) + to.flow_x[x];
        const float to_y = row + to.flow_y[x];
        to.valid[x] = (to_x >= 0) & (to_x <= right) & (to_y >= 0) & (to_y <= bottom);
    }
    for (std::int64_t x = 0; x < width; ++x) {
        const float place_x = std::min(std::max(static_cast<float>(x) + to.flow_x[x], 0.0F), right);
        const float place_y = std::min(std::max(row + to.flow_y[x], 0.0F), bottom);
        const auto left = static_cast<std::int32_t>(place_x);
        const auto top = static_cast<std::int32_t>(place_y);
        const float fx = place_x - static_cast<float>(left);
        const float fy = place_y - static_cast<float>(top);
        const std::int64_t step_x = left + 1 < width ? 1 : 0;
        const std::int64_t step_y = top + 1 < now.height ? width : 0;
        const std::int64_t at = top * width + left;
        float sum = 0;
        float shift = 0;
        for (int c = 0; c < 3; ++c) {
            const float* const from = before.channel[c] + at;
            const float upper = from[0] + fx * (from[step_x] - from[0]);
            const float lower = from[step_y] + fx * (from[step_y + step_x] - from[step_y]);
            const float value = light.gain * (upper + fy * (lower - upper)) + light.offset;
            to.warped[c][x] = value;
            const float difference = now.channel[c][y * width + x] - value;
            sum += std::abs(difference);
            shift += kLuma[c] * difference;
        }
        to.residual[x] = sum * (1.0F / 3);
        to.difference[x] = shift;
    }
}

MILLSTREAM_VECTOR_CLONES
void changed_row(const Planes& now, const Planes& before, std::int64_t y, std::uint8_t* work, std::uint8_t* to) {
    const std::int64_t width = now.width;
    std::uint8_t* const own = work + 2;
    own[-2] = own[-1] = own[width] = own[width + 1] = 0;
    const std::int64_t row = y * width;
    for (std::int64_t x = 0; x < width; ++x) {
        own[x] = static_cast<std::uint8_t>((now.channel[0][row + x] != before.channel[0][row + x]) |
                                           (now.channel[1][row + x] != before.channel[1][row + x]) |
                                           (now.channel[2][row + x] != before.channel[2][row + x]));
    }
    for (std::int64_t x = 0; x < width; ++x) {
        to[x] = static_cast<std::uint8_t>(own[x - 2] | own[x - 1] | own[x] | own[x + 1] | own[x + 2]);
    }
}

MILLSTREAM_VECTOR_CLONES
void luma_row(const float* red, const float* green, const float* blue, std::int64_t width, float* to) {
    for (std::int64_t x = 0; x < width; ++x) {
        to[x] = red[x] * kLuma[0] + green[x] * kLuma[1] + blue[x] * kLuma[2];
    }
}

}   // namespace millstream::compensation
