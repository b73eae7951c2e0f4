#include "motion/lighting.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>

namespace millstream {
namespace {

constexpr std::int64_t kLargestCell = 8;            // pixels a side
constexpr std::int64_t kLeastCells = 8;             // a side of the frame: too few are always explained by two numbers
constexpr double kMostGain = 2;                     // a frame
constexpr int kRounds = 4;                          // of reweighting; more change nothing
constexpr double kRobustDifference = 2.0 / 255;     // a cell that is off by so much counts half
constexpr double kLargestDifference = 16.0 / 255;   // a cell that shows something else is no worse than that
constexpr double kLeastVariance = 1e-6;             // of a flat picture, which has no gain: a 255th's, squared, less
constexpr double kShareLeft = 0.7;                  // of the differences, at most, for the change to be believed

// gain * from + offset.
struct Fit {
    at::Tensor gain;
    at::Tensor offset;
};

// Like spread, like mean: right whatever moves within the frame, as long as nothing comes or goes.
Fit fit_moments(const at::Tensor& to, const at::Tensor& from) {
    at::Tensor gain = (to.std() / (from.std() + kLeastVariance)).clamp(1 / kMostGain, kMostGain);
    at::Tensor offset = to.mean() - gain * from.mean();
    return {std::move(gain), std::move(offset)};
}

// Least squares with the weights that the differences of `last` give.
Fit fit_again(const at::Tensor& to, const at::Tensor& from, const Fit& last) {
    const at::Tensor difference = to - last.gain * from - last.offset;
    const at::Tensor likely = (difference.square() + kRobustDifference * kRobustDifference).reciprocal();
    const at::Tensor weight = likely / likely.sum();
    const at::Tensor mean_to = (weight * to).sum();
    const at::Tensor mean_from = (weight * from).sum();
    const at::Tensor spread = (weight * (from - mean_from).square()).sum() + kLeastVariance;
    const at::Tensor both = (weight * (from - mean_from) * (to - mean_to)).sum() + kLeastVariance;
    at::Tensor gain = (both / spread).clamp(1 / kMostGain, kMostGain);
    at::Tensor offset = mean_to - gain * mean_from;
    return {std::move(gain), std::move(offset)};
}

at::Tensor cost(const at::Tensor& difference) {
    return difference.abs().clamp_max(kLargestDifference).mean();
}

}   // namespace

at::Tensor unchanged_light(const at::Tensor& like) {
    at::Tensor light = at::zeros({2}, like.options());
    light[0].fill_(1);   // on the device: a tensor made of numbers here would be uploaded, and waited for
    return light;
}

at::Tensor change_of_light(const at::Tensor& luma, const at::Tensor& previous) {
    const std::int64_t shorter = std::min(luma.size(2), luma.size(3));
    const std::int64_t cell = std::clamp<std::int64_t>(shorter / kLeastCells, 1, kLargestCell);
    const at::Tensor to = at::avg_pool2d(luma, {cell, cell}).flatten();
    const at::Tensor from = at::avg_pool2d(previous, {cell, cell}).flatten();
    Fit fit = fit_moments(to, from);
    for (int i = 0; i < kRounds; ++i) {
        fit = fit_again(to, from, fit);
    }
    const at::Tensor believed = cost(to - fit.gain * from - fit.offset) < cost(to - from) * kShareLeft;
    return at::where(believed, at::stack({fit.gain, fit.offset}), unchanged_light(luma));
}

}   // namespace millstream
