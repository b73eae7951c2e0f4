#include "enhance/shown_difference.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <vector>

#include "enhance/block_rows.h"
#include "motion/row_filters.h"

namespace millstream {
namespace {

// Note [What shows]
constexpr float kMostShare = 0.7F;
constexpr float kHalfShare = 2.0F;   // where a block is as busy as that, half of it
constexpr float kGrain = 8.0F / 255;

}   // namespace

BlockGrid<float> shown_shares(const BlockGrid<float>& busy) {
    BlockGrid<float> shares = busy;
    for (float& value : shares.values) {
        value = kMostShare * value / (value + kHalfShare);
    }
    return shares;
}

at::Tensor shown_difference(const at::Tensor& input, const at::Tensor& base, const BlockGrid<float>& shares) {
    const at::Tensor difference = input - base;
    at::Tensor shown = at::empty_like(difference);
    const std::int64_t height = difference.size(1);
    const std::int64_t width = difference.size(2);
    std::vector<float> share(static_cast<std::size_t>(shares.columns) * kBlock);   // of a row's pixels
    std::vector<float> work(share.size() + 8);
    for (std::int64_t y = 0; y < height; ++y) {
        const BetweenRows between = between_rows(y, kBlock, shares.rows);
        enlarge_row(shares.values.data() + between.upper * shares.columns,
                    shares.values.data() + between.lower * shares.columns, between.down, shares.columns, kBlock,
                    work.data(), share.data());
        for (std::int64_t channel = 0; channel < 3; ++channel) {
            const float* const plane = difference.const_data_ptr<float>() + channel * height * width;
            const float* rows[9];
            for (std::int64_t i = 0; i < 9; ++i) {
                rows[i] = plane + std::clamp<std::int64_t>(y + i - 4, 0, height - 1) * width;
            }
            blocks::shown_row(rows, share.data(), kGrain, width, work.data(),
                              shown.mutable_data_ptr<float>() + (channel * height + y) * width);
        }
    }
    return shown;
}

at::Tensor shown_difference_there(const at::Tensor& input, const at::Tensor& base, const at::Tensor& shares) {
    const at::Tensor difference = input - base;
    const at::Tensor mean = at::avg_pool2d(at::replication_pad2d(difference, {4, 4, 4, 4}), 9, 1);
    const at::Tensor rest = difference - mean;
    const at::Tensor share = at::upsample_bilinear2d(shares.unsqueeze(0).unsqueeze(0),
                                                     {shares.size(0) * kBlock, shares.size(1) * kBlock}, false)
                                 .squeeze(0)
                                 .narrow(1, 0, difference.size(1))
                                 .narrow(2, 0, difference.size(2));
    const at::Tensor beyond = (rest.abs() / kGrain - 1).clamp_(0, 1);
    return mean.add(at::lerp(beyond, at::ones_like(beyond), share).mul_(rest));
}

}   // namespace millstream
