#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <utility>

#include "enhance/block_measures.h"
#include "enhance/shown_difference.h"
#include "motion/filters.h"

namespace millstream {
namespace {

at::Tensor mean_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs_().mean(0);
}

// Means over eight pixels a side, from four before on; the outermost pixels stand for those outside.
at::Tensor peaks_of(const at::Tensor& difference) {
    const at::Tensor around = at::replication_pad2d(difference.unsqueeze(0).unsqueeze(0), {4, 3, 4, 3});
    return at::max_pool2d(at::avg_pool2d(around, 8, 1), kBlock, kBlock, 0, 1, /*ceil_mode=*/true).squeeze(0);
}

// Steps from pixel to pixel, across and down, summed up over each block. Those in the last column do not count.
at::Tensor steps_of(const at::Tensor& picture) {
    const at::Tensor grey = picture.mean(0);
    const std::int64_t height = grey.size(0);
    const std::int64_t width = grey.size(1);
    const at::Tensor own = grey.narrow(1, 0, width - 1);
    at::Tensor steps = (grey.narrow(1, 1, width - 1) - own).abs_();
    steps.narrow(0, 0, height - 1).add_((own.narrow(0, 1, height - 1) - own.narrow(0, 0, height - 1)).abs_());
    const auto missing = [](std::int64_t length) { return (kBlock - length % kBlock) % kBlock; };
    const at::Tensor whole = at::constant_pad_nd(steps, {0, missing(width) + 1, 0, missing(height)});
    return at::avg_pool2d(whole.unsqueeze(0), kBlock) * (kBlock * kBlock);
}

class DeviceMeasures final : public BlockMeasures {
public:
    DeviceMeasures(Size frame, TableWays ways) : frame_(frame), ways_(std::move(ways)) {}

    CellCounts changed_cells(const at::Tensor& now, const at::Tensor& before) override {
        const at::Tensor changed = now.view(at::kInt).ne(before.view(at::kInt)).any(0, true);   // their bits
        const at::Tensor cells = ways_.fetch(
            at::max_pool2d(changed.to(at::kFloat), {kCell, kCell}, {}, 0, 1, /*ceil_mode=*/true).to(at::kByte));
        return {static_cast<int>(cells.size(2)),
                {cells.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(cells.numel())}};
    }

    Still still(const at::Tensor& now, const at::Tensor& base) override {
        const at::Tensor table =
            ways_.fetch(at::cat({peaks_of(mean_difference(now, base)), at::maximum(steps_of(now), steps_of(base))}));
        Still result{grid(table, 0), grid(table, 1)};
        for (int row = 0; row < result.busy.rows; ++row) {
            for (int column = 0; column < result.busy.columns; ++column) {
                const Rectangle block = in_pixels({column, row, column + 1, row + 1}, frame_, 0);
                result.busy.at(column, row) *= 255 / static_cast<float>(block.area());
            }
        }
        return result;
    }

    Moved moved(const at::Tensor& now, const at::Tensor& before, const at::Tensor& base, const at::Tensor& flow,
                const BlockGrid<BlockSource>& source) override {
        const at::Tensor wanted = in_frame(sent(source), BlockSource::computed);
        const auto brought = [&](const at::Tensor& from) {
            return at::where(wanted, warp(from.unsqueeze(0), flow.unsqueeze(0), Interpolation::bicubic).squeeze(0),
                             from);
        };
        Moved result;
        result.before = brought(before);
        result.base = brought(base);
        const at::Tensor table =
            ways_.fetch(at::cat({peaks_of(mean_difference(now, result.base)), in_the_middle(flow)}));
        result.peak = grid(table, 0);
        result.flow_x = grid(table, 1);
        result.flow_y = grid(table, 2);
        return result;
    }

    at::Tensor take_computed(const BlockGrid<BlockSource>& source, const at::Tensor& now, at::Tensor& before,
                             at::Tensor& base) override {
        const auto& blocks = source.values;
        if (std::count(blocks.begin(), blocks.end(), BlockSource::still) == std::ssize(blocks)) {
            return {};
        }
        at::Tensor table = sent(source);
        const at::Tensor computed = in_frame(table, BlockSource::computed);
        at::where_out(before, computed, now, before);
        at::where_out(base, computed, now, base);
        return table;
    }

    at::Tensor seen(const at::Tensor& now, const at::Tensor& base, const BlockGrid<float>& busy) override {
        BlockGrid<float> shares = shown_shares(busy);
        const at::Tensor table = at::from_blob(shares.values.data(), {shares.rows, shares.columns}, at::kFloat);
        return shown_difference_there(now, base, ways_.send(table)).add_(base);
    }

private:
    [[nodiscard]] at::Tensor sent(const BlockGrid<BlockSource>& source) const {
        at::Tensor table = at::empty({source.rows, source.columns}, at::kByte);
        auto* to = table.mutable_data_ptr<std::uint8_t>();
        for (const BlockSource block : source.values) {
            *to++ = static_cast<std::uint8_t>(block);
        }
        return ways_.send(table);
    }
    [[nodiscard]] at::Tensor in_frame(const at::Tensor& table, BlockSource which) const {
        return pixels_where(table, which, kBlock).narrow(0, 0, frame_.height).narrow(1, 0, frame_.width);
    }
    // [2,rows,columns]
    static at::Tensor in_the_middle(const at::Tensor& flow) {
        const auto middles = [&](std::int64_t length) {
            const at::Tensor blocks = at::arange((length + kBlock - 1) / kBlock, flow.options().dtype(at::kLong));
            return (blocks * kBlock + kBlock / 2).clamp_max_(length - 1);
        };
        return flow.index_select(1, middles(flow.size(1))).index_select(2, middles(flow.size(2)));
    }
    // Of a fetched [n,rows,columns].
    [[nodiscard]] BlockGrid<float> grid(const at::Tensor& table, std::int64_t which) const {
        BlockGrid<float> result(frame_, 0);
        const auto* const first = table.const_data_ptr<float>() + which * table.size(1) * table.size(2);
        std::copy_n(first, result.values.size(), result.values.begin());
        return result;
    }

    Size frame_;
    TableWays ways_;
};

}   // namespace

std::unique_ptr<BlockMeasures> measures_on_device(Size frame, const TableWays& ways) {
    return std::make_unique<DeviceMeasures>(frame, ways);
}

at::Tensor pixels_where(const at::Tensor& table, BlockSource which, std::int64_t side) {
    const std::int64_t rows = table.size(0);
    const std::int64_t columns = table.size(1);
    return table.eq(static_cast<int>(which))
        .view({rows, 1, columns, 1})
        .expand({rows, side, columns, side})
        .reshape({rows * side, columns * side});
}

}   // namespace millstream
