#include "motion/refine_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/vector_clones.h"
#include "motion/flow_parameters.h"

namespace millstream::refinement {
namespace {

using namespace flow;   // the constants

// exp(-x) for x >= 0, to 2e-7: a power of two times a Taylor polynomial of 2^fraction. The library's own is not
// vectorised.
MILLSTREAM_VECTOR_PART float exp_of_minus(float x) {
    const float exponent = std::max(x * -1.44269504F, -126.0F);   // log2(e)
    const float whole = std::floor(exponent);
    const float f = exponent - whole;
    const float power =
        1 + f * (0.693147181F +
                 f * (0.240226507F +
                      f * (0.0555041087F + f * (0.00961812911F + f * (0.00133335581F + f * 0.000154035304F)))));
    return power * std::bit_cast<float>((static_cast<std::int32_t>(whole) + 127) << 23);
}

MILLSTREAM_VECTOR_PART float likeness(float a, float b) {
    return exp_of_minus(kEdgeSharpness * std::abs(a - b)) + kLeastEdgeWeight;
}

MILLSTREAM_VECTOR_PART float bounded(float value, float most) {
    return std::min(std::max(value, 0.0F), most);
}

}   // namespace

MILLSTREAM_VECTOR_CLONES
void likeness_across(const float* row, int width, float* to) {
    for (int x = 0; x < width - 1; ++x) {
        to[x] = likeness(row[x], row[x + 1]);
    }
    to[-1] = kLeastEdgeWeight;
    to[width - 1] = kLeastEdgeWeight;
}

MILLSTREAM_VECTOR_CLONES
void likeness_down(const float* row, const float* below, int width, float* to) {
    for (int x = 0; x < width; ++x) {
        to[x] = likeness(row[x], below[x]);
    }
}

MILLSTREAM_VECTOR_CLONES
void data_row(const ImageRows& now, const ImageRows& before, int y, const float* flow_x, const float* flow_y,
              const DataRows& to) {
    const int width = now.width();
    const float* const above = now.row(y - 1);
    const float* const row = now.row(y);
    const float* const below = now.row(y + 1);
    const float* const origin = before.row(0);
    const std::ptrdiff_t stride = before.stride();
    const auto right = static_cast<float>(width - 1);
    const auto bottom = static_cast<float>(now.height() - 1);
    float* const xx = to[0];
    float* const xy = to[1];
    float* const yy = to[2];
    float* const rx = to[3];
    float* const ry = to[4];
    for (int x = 0; x < width; ++x) {
        const float place_x = bounded(static_cast<float>(x) + flow_x[x], right);
        const float place_y = bounded(static_cast<float>(y) + flow_y[x], bottom);
        const int whole_x = static_cast<int>(place_x);
        const int whole_y = static_cast<int>(place_y);
        const float fx = place_x - static_cast<float>(whole_x);
        const float fy = place_y - static_cast<float>(whole_y);
        const float* const from = origin + whole_y * stride + whole_x;
        const float upper = from[0] + fx * (from[1] - from[0]);
        const float lower = from[stride] + fx * (from[stride + 1] - from[stride]);
        const float residual = upper + fy * (lower - upper) - row[x];
        const float trust = kRobustResidual / std::sqrt(residual * residual + kRobustResidual * kRobustResidual);
        const float gx = (row[x + 1] - row[x - 1]) * 0.5F;
        const float gy = (below[x] - above[x]) * 0.5F;
        xx[x] = gx * gx * trust;
        xy[x] = gx * gy * trust;
        yy[x] = gy * gy * trust;
        rx[x] = gx * residual * trust;
        ry[x] = gy * residual * trust;
    }
}

MILLSTREAM_VECTOR_CLONES
void sum_of_five(const float* row, int width, float* to) {
    for (int x = 0; x < width; ++x) {
        to[x] = row[x - 2] + row[x - 1] + row[x] + row[x + 1] + row[x + 2];
    }
}

MILLSTREAM_VECTOR_CLONES
void sum_of_rows(const std::array<const float*, 5>& rows, int width, float* to) {
    for (int x = 0; x < width; ++x) {
        to[x] = rows[0][x] + rows[1][x] + rows[2][x] + rows[3][x] + rows[4][x];
    }
}

MILLSTREAM_VECTOR_CLONES
void system_row(const DataRows& sums, const LikenessRows& likeness, const float* flow_x, const float* flow_y,
                float smoothness, int width, const SystemRows& to) {
    constexpr float mean = 1.0F / (kRefineWindow * kRefineWindow);
    for (int x = 0; x < width; ++x) {
        const float xx = sums[0][x] * mean + smoothness;
        const float xy = sums[1][x] * mean;
        const float yy = sums[2][x] * mean + smoothness;
        const float pull_x = sums[3][x] * mean + smoothness * flow_x[x];
        const float pull_y = sums[4][x] * mean + smoothness * flow_y[x];
        const float inverse = 1 / (xx * yy - xy * xy);
        to.constant_x[x] = flow_x[x] - (yy * pull_x - xy * pull_y) * inverse;
        to.constant_y[x] = flow_y[x] - (xx * pull_y - xy * pull_x) * inverse;
        const float neighbours = likeness.across[x - 1] + likeness.across[x] + likeness.above[x] + likeness.below[x];
        const float scale = smoothness * inverse / neighbours;
        to.xx[x] = yy * scale;
        to.xy[x] = xy * scale;
        to.yy[x] = xx * scale;
    }
}

MILLSTREAM_VECTOR_CLONES
void iterate_row(const SystemRows& system, const LikenessRows& likeness, const FlowRow& above, const FlowRow& row,
                 const FlowRow& below, int width, float* to_x, float* to_y) {
    for (int x = 0; x < width; ++x) {
        const float left = likeness.across[x - 1];
        const float right = likeness.across[x];
        const float up = likeness.above[x];
        const float down = likeness.below[x];
        const float sum_x = left * row.x[x - 1] + right * row.x[x + 1] + up * above.x[x] + down * below.x[x];
        const float sum_y = left * row.y[x - 1] + right * row.y[x + 1] + up * above.y[x] + down * below.y[x];
        to_x[x] = system.constant_x[x] + system.xx[x] * sum_x - system.xy[x] * sum_y;
        to_y[x] = system.constant_y[x] + system.yy[x] * sum_y - system.xy[x] * sum_x;
    }
}

MILLSTREAM_VECTOR_CLONES
void limit_row(const float* start, const float* end, int width, float* to) {
    for (int x = 0; x < width; ++x) {
        const float change = std::min(std::max(end[x] - start[x], -kLargestRefinement), kLargestRefinement);
        to[x] = start[x] + change;
    }
}

}   // namespace millstream::refinement
