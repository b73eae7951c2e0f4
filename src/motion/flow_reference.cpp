#include "motion/flow_reference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/col2im.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/im2col.h>
#include <ATen/ops/replication_pad2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <utility>
#include <vector>

#include "motion/filters.h"
#include "motion/flow_parameters.h"

namespace millstream {
namespace {

using namespace flow;   // the constants

// Every whole displacement within the search radius, [2,n].
at::Tensor displacements(const at::TensorOptions& options) {
    constexpr std::int64_t side = 2 * kSearchRadius + 1;
    const at::Tensor index = at::arange(side * side, options);
    return at::stack({index.remainder(side), index.div(side).floor()}).sub_(kSearchRadius);
}

at::Tensor coarse_search(const at::Tensor& now, const at::Tensor& before) {
    constexpr std::int64_t side = 2 * kSearchRadius + 1;
    const at::Tensor wide = at::replication_pad2d(before, {kSearchRadius, kSearchRadius, kSearchRadius, kSearchRadius});
    std::vector<at::Tensor> differences;
    for (std::int64_t i = 0; i < side * side; ++i) {
        differences.push_back((wide.narrow(2, i / side, now.size(2)).narrow(3, i % side, now.size(3)) - now).abs_());
    }
    const at::Tensor cost = at::cat(differences, 1);
    // The penalty is on the distance from the frame's dominant displacement: one on the distance from zero would leave
    // areas without texture behind when the camera pans.
    const at::Tensor choices = displacements(now.options());
    const at::Tensor distance = choices.square().sum(0).sqrt();
    const at::Tensor dominant =
        (cost.clamp_max(kLargestDifference).mean({0, 2, 3}) + distance * kStandingStill).argmin();
    const at::Tensor penalty =
        (choices - choices.index_select(1, dominant.view(1))).square().sum(0).sqrt().mul_(kSearchPenalty);
    const at::Tensor best = (box_mean(cost, kSearchWindow) + penalty.view({1, -1, 1, 1})).argmin(1);
    return choices.index_select(1, best.flatten()).view({1, 2, now.size(2), now.size(3)});
}

// A frame cut into overlapping patches.
class PatchGrid {
public:
    PatchGrid(std::int64_t height, std::int64_t width) : height_(height), width_(width) {
        const auto missing = [](std::int64_t side) {
            const std::int64_t over = (side + 2 * kMargin - kPatch) % kPatchStride;
            return over == 0 ? 0 : kPatchStride - over;
        };
        bottom_ = kMargin + missing(height);
        right_ = kMargin + missing(width);
    }
    [[nodiscard]] at::Tensor padded(const at::Tensor& image) const {
        return at::replication_pad2d(image, {kMargin, right_, kMargin, bottom_});
    }
    // [1,c,H,W] padded -> [c, pixels of a patch, patches]
    [[nodiscard]] static at::Tensor cut(const at::Tensor& image) {
        return at::im2col(image, {kPatch, kPatch}, {1, 1}, {0, 0}, {kPatchStride, kPatchStride})
            .view({image.size(1), kPatch * kPatch, -1});
    }
    // The sum of overlapping patches, [c, pixels, patches] -> [1,c,h,w].
    [[nodiscard]] at::Tensor join(const at::Tensor& patches) const {
        const at::Tensor columns = patches.reshape({1, -1, patches.size(2)});
        return at::col2im(columns, {height_ + kMargin + bottom_, width_ + kMargin + right_}, {kPatch, kPatch}, {1, 1},
                          {0, 0}, {kPatchStride, kPatchStride})
            .narrow(2, kMargin, height_)
            .narrow(3, kMargin, width_);
    }
    // x and y of every pixel of every patch, [2, pixels, patches], in the frame's own coordinates.
    [[nodiscard]] at::Tensor coordinates(const at::TensorOptions& options) const {
        const std::int64_t height = height_ + kMargin + bottom_;
        const std::int64_t width = width_ + kMargin + right_;
        const at::Tensor x = at::arange(width, options).sub_(kMargin).expand({height, width});
        const at::Tensor y = at::arange(height, options).sub_(kMargin).unsqueeze(1).expand({height, width});
        return cut(at::stack({x, y}).unsqueeze(0));
    }

private:
    static constexpr std::int64_t kMargin = kPatch / 2;
    std::int64_t height_;
    std::int64_t width_;
    std::int64_t bottom_ = 0;
    std::int64_t right_ = 0;
};

at::Tensor without_mean(const at::Tensor& patches) {
    return patches - patches.mean(1, true);
}

// One displacement a patch by Gauss-Newton steps on the mean-free squared difference. The template's gradients and
// their tensor are computed once (inverse compositional).
at::Tensor match_patches(const at::Tensor& now, const at::Tensor& before, const at::Tensor& start) {
    const std::int64_t height = now.size(2);
    const std::int64_t width = now.size(3);
    const PatchGrid grid(height, width);
    const at::Tensor image = grid.padded(now);
    const at::Tensor target = without_mean(PatchGrid::cut(image)).select(0, 0);
    const at::Tensor slope = without_mean(PatchGrid::cut(slopes(image)));
    const at::Tensor gx = slope.select(0, 0);
    const at::Tensor gy = slope.select(0, 1);
    const at::Tensor xx = gx.square().sum(0) + kPatchDamping;
    const at::Tensor xy = (gx * gy).sum(0);
    const at::Tensor yy = gy.square().sum(0) + kPatchDamping;
    const at::Tensor determinant = xx * yy - xy * xy;

    const at::Tensor first = PatchGrid::cut(grid.padded(start)).mean(1);   // [2, patches]
    at::Tensor moved = first;
    const at::Tensor places = grid.coordinates(now.options());
    const auto residual = [&] {
        const at::Tensor x = (places.select(0, 0) + moved[0]) * (2.0 / static_cast<double>(width - 1)) - 1.0;
        const at::Tensor y = (places.select(0, 1) + moved[1]) * (2.0 / static_cast<double>(height - 1)) - 1.0;
        const at::Tensor sampled = at::grid_sampler(before, at::stack({x, y}, -1).unsqueeze(0), 0, 1, true);
        return without_mean(sampled.select(0, 0)).select(0, 0) - target;
    };
    for (int step = 0; step < kPatchSteps; ++step) {
        const at::Tensor r = residual();
        const at::Tensor ex = (gx * r).sum(0);
        const at::Tensor ey = (gy * r).sum(0);
        const at::Tensor move = at::stack({xy * ey - yy * ex, xy * ex - xx * ey}) / determinant;
        moved = moved + move.clamp(-kLargestPatchStep, kLargestPatchStep);
    }
    const at::Tensor weight = residual().abs_().clamp_min_(kLeastPatchResidual).reciprocal_().unsqueeze(0);
    const at::Tensor astray = (moved - first).square().sum(0).sqrt() > kLargestPatchMove;
    const at::Tensor kept = at::where(astray, first, moved).unsqueeze(1);
    const at::Tensor joined = grid.join(at::cat({kept * weight, weight}));
    return joined.narrow(1, 0, 2) / joined.narrow(1, 2, 1);
}

// How much each pixel's left, right, upper and lower neighbour counts, [1,4,h,w], summing up to 1: little across edges.
at::Tensor neighbour_weights(const at::Tensor& image) {
    const std::int64_t height = image.size(2);
    const std::int64_t width = image.size(3);
    const auto likeness = [](const at::Tensor& a, const at::Tensor& b) {
        return (a - b).abs_().mul_(-kEdgeSharpness).exp_();
    };
    at::Tensor weights = at::zeros_like(image).repeat({1, 4, 1, 1});
    const at::Tensor across = likeness(image.narrow(3, 1, width - 1), image.narrow(3, 0, width - 1)).select(1, 0);
    const at::Tensor down = likeness(image.narrow(2, 1, height - 1), image.narrow(2, 0, height - 1)).select(1, 0);
    weights.select(1, 0).narrow(2, 1, width - 1).copy_(across);
    weights.select(1, 1).narrow(2, 0, width - 1).copy_(across);
    weights.select(1, 2).narrow(1, 1, height - 1).copy_(down);
    weights.select(1, 3).narrow(1, 0, height - 1).copy_(down);
    weights.add_(kLeastEdgeWeight);
    return weights / weights.sum(1, true);
}

at::Tensor neighbour_mean(const at::Tensor& flow, const at::Tensor& weights) {
    const std::int64_t height = flow.size(2);
    const std::int64_t width = flow.size(3);
    const at::Tensor wide = at::replication_pad2d(flow, {1, 1, 1, 1});
    const auto shifted = [&](std::int64_t y, std::int64_t x) { return wide.narrow(2, y, height).narrow(3, x, width); };
    return weights.narrow(1, 0, 1) * shifted(1, 0) + weights.narrow(1, 1, 1) * shifted(1, 2) +
           weights.narrow(1, 2, 1) * shifted(0, 1) + weights.narrow(1, 3, 1) * shifted(2, 1);
}

// Robust least squares over a window, tied to the neighbours' mean; (J + alpha E) du = alpha (mean(u + du) - u) - q is
// solved by Jacobi iterations. Without texture J and q vanish and the surroundings decide.
at::Tensor refine(const at::Tensor& now, const at::Tensor& before, const at::Tensor& start, int iterations,
                  float smoothness) {
    const at::Tensor slope = slopes(now);
    const at::Tensor gx = slope.narrow(1, 0, 1);
    const at::Tensor gy = slope.narrow(1, 1, 1);
    const at::Tensor weights = neighbour_weights(now);
    const at::Tensor r = warp(before, start, Interpolation::bilinear) - now;
    const at::Tensor trust = (r.square() + kRobustResidual * kRobustResidual).rsqrt_().mul_(kRobustResidual);
    const at::Tensor sums =
        box_mean(at::cat({gx * gx * trust, gx * gy * trust, gy * gy * trust, slope * (r * trust)}, 1), kRefineWindow);
    const at::Tensor xx = sums.narrow(1, 0, 1) + smoothness;
    const at::Tensor xy = sums.narrow(1, 1, 1);
    const at::Tensor yy = sums.narrow(1, 2, 1) + smoothness;
    const at::Tensor pull = sums.narrow(1, 3, 2);
    const at::Tensor determinant = xx * yy - xy * xy;
    at::Tensor change = at::zeros_like(start);
    for (int i = 0; i < iterations; ++i) {
        const at::Tensor e = (neighbour_mean(start + change, weights) - start).mul_(smoothness).sub_(pull);
        const at::Tensor ex = e.narrow(1, 0, 1);
        const at::Tensor ey = e.narrow(1, 1, 1);
        change = at::cat({yy * ex - xy * ey, xx * ey - xy * ex}, 1).div_(determinant);
    }
    return start + change.clamp_(-kLargestRefinement, kLargestRefinement);
}

std::vector<at::Tensor> pyramid(at::Tensor image, int levels) {
    std::vector<at::Tensor> result{std::move(image)};
    while (result.size() < static_cast<std::size_t>(levels)) {
        result.push_back(halve(result.back()));
    }
    return result;
}

}   // namespace

at::Tensor reference_flow(const at::Tensor& luma, const at::Tensor& previous, FlowQuality quality) {
    const int levels = pyramid_levels(luma.size(2), luma.size(3));
    const auto now = pyramid(luma, levels);
    const auto before = pyramid(previous, levels);
    at::Tensor flow = median3x3(coarse_search(now.back(), before.back()));
    for (int i = 0; i < kCoarsestRefinements; ++i) {
        flow = refine(now.back(), before.back(), flow, kCoarsestIterations, 2 * kSmoothness);
    }
    for (int level = levels - 2; level >= 0; --level) {
        const at::Tensor& to = now.at(static_cast<std::size_t>(level));
        const at::Tensor& from = before.at(static_cast<std::size_t>(level));
        flow = flow_for_doubled_grid(flow, to.size(2), to.size(3));
        if (level >= finest_patch_level(quality)) {
            flow = match_patches(to, from, flow);
        }
        flow = median3x3(refine(to, from, flow, iterations_at(level), kSmoothness));
    }
    return flow;
}

}   // namespace millstream
