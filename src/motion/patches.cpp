#include "motion/patches.h"

#include <algorithm>
#include <cmath>

#include "base/vector_clones.h"
#include "motion/flow_parameters.h"

namespace millstream {
namespace {

using namespace flow;   // the constants

constexpr int kOverhang = kPatch / 2;   // of the first patch, outside the image

using PatchValues = float[kPatch][kPatch];

struct Displacement {
    float x;
    float y;
};

// Loops over a patch keep one sum a column, which the compiler holds in one register, and add those up at the end.
MILLSTREAM_VECTOR_PART float total(const float (&columns)[kPatch]) {
    return ((columns[0] + columns[1]) + (columns[2] + columns[3])) +
           ((columns[4] + columns[5]) + (columns[6] + columns[7]));
}

MILLSTREAM_VECTOR_PART void take_mean_away(PatchValues& values) {
    float sums[kPatch] = {};
    for (const auto& row : values) {
        for (int x = 0; x < kPatch; ++x) {
            sums[x] += row[x];
        }
    }
    const float mean = total(sums) / (kPatch * kPatch);
    for (auto& row : values) {
        for (float& value : row) {
            value -= mean;
        }
    }
}

MILLSTREAM_VECTOR_PART float product(const PatchValues& a, const PatchValues& b) {
    float sums[kPatch] = {};
    for (int y = 0; y < kPatch; ++y) {
        for (int x = 0; x < kPatch; ++x) {
            sums[x] += a[y][x] * b[y][x];
        }
    }
    return total(sums);
}

// The patch's pixels and slopes in the new frame, mean-free, and their tensor's inverse.
struct Template {
    PatchValues value;
    PatchValues gx;
    PatchValues gy;
    float xx;
    float xy;
    float yy;
};

MILLSTREAM_VECTOR_PART void read_template(const ImageRows& now, int left, int top, Template& to) {
    for (int y = 0; y < kPatch; ++y) {
        const float* const above = now.row(top + y - 1) + left;
        const float* const row = now.row(top + y) + left;
        const float* const below = now.row(top + y + 1) + left;
        for (int x = 0; x < kPatch; ++x) {
            to.value[y][x] = row[x];
            to.gx[y][x] = (row[x + 1] - row[x - 1]) * 0.5F;
            to.gy[y][x] = (below[x] - above[x]) * 0.5F;
        }
    }
    take_mean_away(to.value);
    take_mean_away(to.gx);
    take_mean_away(to.gy);
    to.xx = product(to.gx, to.gx) + kPatchDamping;
    to.xy = product(to.gx, to.gy);
    to.yy = product(to.gy, to.gy) + kPatchDamping;
}

// A coordinate so far outside that every pixel of the patch is the image's outermost may as well be nearer.
MILLSTREAM_VECTOR_PART float near_image(float corner, int length) {
    return std::min(std::max(corner, -static_cast<float>(kPatch + 1)), static_cast<float>(length));
}

// Mean-free difference between the old frame at the displaced patch and the template.
MILLSTREAM_VECTOR_PART void find_residual(const ImageRows& before, const Template& patch, float corner_x,
                                          float corner_y, PatchValues& to) {
    const float x = near_image(corner_x, before.width());
    const float y = near_image(corner_y, before.height());
    const int left = static_cast<int>(std::floor(x));
    const int top = static_cast<int>(std::floor(y));
    const float fx = x - static_cast<float>(left);
    const float fy = y - static_cast<float>(top);
    const float upper_left = (1 - fx) * (1 - fy);
    const float upper_right = fx * (1 - fy);
    const float lower_left = (1 - fx) * fy;
    const float lower_right = fx * fy;
    for (int i = 0; i < kPatch; ++i) {
        const float* const upper = before.row(top + i) + left;
        const float* const lower = before.row(top + i + 1) + left;
        for (int j = 0; j < kPatch; ++j) {
            to[i][j] = upper_left * upper[j] + upper_right * upper[j + 1] + lower_left * lower[j] +
                       lower_right * lower[j + 1] - patch.value[i][j];
        }
    }
    take_mean_away(to);
}

MILLSTREAM_VECTOR_PART Displacement mean_flow(const FlowRows& start, int left, int top, int height) {
    float sums_x[kPatch] = {};
    float sums_y[kPatch] = {};
    for (int i = 0; i < kPatch; ++i) {
        const int y = std::clamp(top + i, 0, height - 1);
        const float* const row_x = start.x.row(y) + left;
        const float* const row_y = start.y.row(y) + left;
        for (int j = 0; j < kPatch; ++j) {
            sums_x[j] += row_x[j];
            sums_y[j] += row_y[j];
        }
    }
    return {total(sums_x) / (kPatch * kPatch), total(sums_y) / (kPatch * kPatch)};
}

MILLSTREAM_VECTOR_PART float limited(float step) {
    return std::min(std::max(step, -kLargestPatchStep), kLargestPatchStep);
}

MILLSTREAM_VECTOR_PART void add_to_sums(const PatchValues& residual, Displacement flow, int left, int top,
                                        PatchSums& sums) {
    for (int i = 0; i < kPatch; ++i) {
        float* const x = sums.flow.x.row(top + i) + left;
        float* const y = sums.flow.y.row(top + i) + left;
        float* const weights = sums.weight.row(top + i) + left;
        for (int j = 0; j < kPatch; ++j) {
            const float weight = 1 / std::max(std::abs(residual[i][j]), kLeastPatchResidual);
            x[j] += flow.x * weight;
            y[j] += flow.y * weight;
            weights[j] += weight;
        }
    }
}

MILLSTREAM_VECTOR_PART void match_patch(const ImageRows& now, const ImageRows& before, const FlowRows& start, int left,
                                        int top, PatchSums& sums) {
    Template patch;
    PatchValues residual;
    read_template(now, left, top, patch);
    const float scale = 1 / (patch.xx * patch.yy - patch.xy * patch.xy);
    const Displacement first = mean_flow(start, left, top, now.height());
    Displacement moved = first;
    for (int step = 0;; ++step) {
        find_residual(before, patch, static_cast<float>(left) + moved.x, static_cast<float>(top) + moved.y, residual);
        if (step == kPatchSteps) {
            break;
        }
        const float ex = product(patch.gx, residual);
        const float ey = product(patch.gy, residual);
        moved.x += limited((patch.xy * ey - patch.yy * ex) * scale);
        moved.y += limited((patch.xy * ex - patch.xx * ey) * scale);
    }
    const float dx = moved.x - first.x;
    const float dy = moved.y - first.y;
    const bool astray = dx * dx + dy * dy > kLargestPatchMove * kLargestPatchMove;
    add_to_sums(residual, astray ? first : moved, left, top, sums);
}

}   // namespace

int patch_rows(int height) {
    return (height + kPatchStride - 1) / kPatchStride + 1;
}

int first_pixel_row(int patch_row) {
    return patch_row * kPatchStride - kOverhang;
}

MILLSTREAM_VECTOR_CLONES
void match_patch_row(const ImageRows& now, const ImageRows& before, const FlowRows& start, int patch_row,
                     PatchSums& sums) {
    const int patches = patch_rows(now.width());   // the same rule along the other side
    for (int i = 0; i < patches; ++i) {
        match_patch(now, before, start, i * kPatchStride - kOverhang, first_pixel_row(patch_row), sums);
    }
}

}   // namespace millstream
