#include <ATen/Functions.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "enhance/block_measures.h"
#include "enhance/block_rows.h"
#include "enhance/shown_difference.h"
#include "motion/sample_row.h"

namespace millstream {
namespace {

class HostMeasures final : public BlockMeasures {
public:
    explicit HostMeasures(Size frame)
        : frame_(frame), width_(frame.width), plane_(std::int64_t{frame.width} * frame.height) {}

    CellCounts changed_cells(const at::Tensor& now, const at::Tensor& before) override;
    Still still(const at::Tensor& now, const at::Tensor& base) override;
    Moved moved(const at::Tensor& now, const at::Tensor& before, const at::Tensor& base, const at::Tensor& flow,
                const BlockGrid<BlockSource>& source) override;
    at::Tensor take_computed(const BlockGrid<BlockSource>& source, const at::Tensor& now, at::Tensor& before,
                             at::Tensor& base) override;
    at::Tensor seen(const at::Tensor& now, const at::Tensor& base, const BlockGrid<float>& busy) override {
        return shown_difference(now, base, shown_shares(busy)).add_(base);
    }

private:
    [[nodiscard]] BlockGrid<float> peaks() const;
    [[nodiscard]] BlockGrid<float> busyness(const at::Tensor& now) const;
    [[nodiscard]] Rectangle pixels_of(int column, int row) const {
        return in_pixels({column, row, column + 1, row + 1}, frame_, 0);
    }

    Size frame_;
    std::int64_t width_;
    std::int64_t plane_;
    std::vector<float> difference_;   // a pixel, of the frame in hand
};

CellCounts HostMeasures::changed_cells(const at::Tensor& now, const at::Tensor& before) {
    const std::int64_t height = frame_.height;
    const std::int64_t columns = (width_ + kCell - 1) / kCell;
    std::vector<std::uint8_t> changed(static_cast<std::size_t>(columns * ((height + kCell - 1) / kCell)));
    for (std::int64_t line = 0; line < 3 * height; ++line) {
        const float* const a = now.const_data_ptr<float>() + line * width_;
        const float* const b = before.const_data_ptr<float>() + line * width_;
        if (std::memcmp(a, b, static_cast<std::size_t>(width_) * sizeof(float)) == 0) {
            continue;
        }
        const std::int64_t first = line % height / kCell * columns;
        for (std::int64_t x = 0; x < width_; x += kCell) {
            const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(kCell, width_ - x)) * sizeof(float);
            changed[static_cast<std::size_t>(first + x / kCell)] |=
                static_cast<std::uint8_t>(std::memcmp(a + x, b + x, bytes) != 0);
        }
    }
    return {static_cast<int>(columns), changed};
}

BlockMeasures::Still HostMeasures::still(const at::Tensor& now, const at::Tensor& base) {
    difference_.resize(static_cast<std::size_t>(plane_));
    for (std::int64_t at = 0; at < plane_; at += width_) {
        blocks::difference_row(now.const_data_ptr<float>() + at, base.const_data_ptr<float>() + at, plane_, width_,
                               difference_.data() + at);
    }
    BlockGrid<float> busy = busyness(now);
    const BlockGrid<float> was = busyness(base);   // what has gone counts like what has come
    std::transform(was.values.begin(), was.values.end(), busy.values.begin(), busy.values.begin(),
                   [](float a, float b) { return std::max(a, b); });
    return {peaks(), std::move(busy)};
}

BlockMeasures::Moved HostMeasures::moved(const at::Tensor& now, const at::Tensor& before, const at::Tensor& base,
                                         const at::Tensor& flow, const BlockGrid<BlockSource>& source) {
    const std::int64_t height = frame_.height;
    Moved result{{}, BlockGrid<float>(frame_, 0), BlockGrid<float>(frame_, 0), before.clone(), base.clone()};
    const auto* const first_flow = flow.const_data_ptr<float>();
    std::vector<float> weight(static_cast<std::size_t>(width_));
    const auto bring = [&](const at::Tensor& from, at::Tensor& to, std::int64_t y) {
        auto* const first = to.mutable_data_ptr<float>() + y * width_;
        float* const rows[3] = {first, first + plane_, first + 2 * plane_};
        sample_row({from.const_data_ptr<float>(), height, width_}, y, 1, first_flow + y * width_,
                   first_flow + plane_ + y * width_, weight.data(), rows);
        return first;
    };
    for (std::int64_t y = 0; y < height; ++y) {
        const int row = static_cast<int>(y) / kBlock;
        bool any = false;
        for (std::int64_t x = 0; x < width_; ++x) {
            const bool wanted = source.at(static_cast<int>(x) / kBlock, row) == BlockSource::computed;
            weight[static_cast<std::size_t>(x)] = wanted ? 1.0F : 0.0F;
            any |= wanted;
        }
        if (any) {
            bring(before, result.before, y);
            const float* const brought = bring(base, result.base, y);
            blocks::difference_row(now.const_data_ptr<float>() + y * width_, brought, plane_, width_,
                                   difference_.data() + y * width_);
        }
    }
    result.peak = peaks();
    for (int row = 0; row < source.rows; ++row) {
        for (int column = 0; column < source.columns; ++column) {
            const std::int64_t at = std::min(row * kBlock + kBlock / 2, frame_.height - 1) * width_ +
                                    std::min(column * kBlock + kBlock / 2, frame_.width - 1);
            result.flow_x.at(column, row) = first_flow[at];
            result.flow_y.at(column, row) = first_flow[plane_ + at];
        }
    }
    return result;
}

at::Tensor HostMeasures::take_computed(const BlockGrid<BlockSource>& source, const at::Tensor& now, at::Tensor& before,
                                       at::Tensor& base) {
    const auto take = [&](const Rectangle& block, at::Tensor& to) {
        for (std::int64_t y = block.top; y < block.bottom; ++y) {
            for (std::int64_t at = y * width_ + block.left; at < 3 * plane_; at += plane_) {
                std::copy_n(now.const_data_ptr<float>() + at, block.width(), to.mutable_data_ptr<float>() + at);
            }
        }
    };
    for (int row = 0; row < source.rows; ++row) {
        for (int column = 0; column < source.columns; ++column) {
            if (source.at(column, row) == BlockSource::computed) {
                take(pixels_of(column, row), before);
                take(pixels_of(column, row), base);
            }
        }
    }
    return {};
}

BlockGrid<float> HostMeasures::busyness(const at::Tensor& now) const {
    const auto* first = now.const_data_ptr<float>();
    BlockGrid<float> busy(frame_, 0);
    for (int y = 0; y < frame_.height; ++y) {
        const auto* const row = first + y * width_;
        const auto* const below = y + 1 < frame_.height ? row + width_ : row;
        blocks::steps_row(row, below, plane_, width_, &busy.at(0, y / kBlock));
    }
    for (int row = 0; row < busy.rows; ++row) {
        for (int column = 0; column < busy.columns; ++column) {
            busy.at(column, row) *= 255 / static_cast<float>(pixels_of(column, row).area());
        }
    }
    return busy;
}

BlockGrid<float> HostMeasures::peaks() const {
    const std::int64_t height = frame_.height;
    BlockGrid<float> peaks(frame_, 0);
    std::vector<float> sums(static_cast<std::size_t>(width_), 0.0F);
    std::vector<float> work(static_cast<std::size_t>(width_) + 8);
    const auto row = [&](std::int64_t y) {
        return difference_.data() + std::clamp<std::int64_t>(y, 0, height - 1) * width_;
    };
    for (std::int64_t y = -4; y < 4; ++y) {
        blocks::slide_row(row(y), nullptr, width_, sums.data());
    }
    for (std::int64_t y = 0; y < height; ++y) {   // sums are of rows y - 4 to y + 3
        blocks::peaks_row(sums.data(), width_, work.data(), &peaks.at(0, static_cast<int>(y) / kBlock));
        blocks::slide_row(row(y + 4), row(y - 4), width_, sums.data());
    }
    for (float& peak : peaks.values) {
        peak *= 1.0F / 64;
    }
    return peaks;
}

}   // namespace

std::unique_ptr<BlockMeasures> measures_on_host(Size frame) {
    return std::make_unique<HostMeasures>(frame);
}

std::unique_ptr<BlockMeasures> make_block_measures(Size frame, const TableWays& ways) {
    return ways ? measures_on_device(frame, ways) : measures_on_host(frame);
}

}   // namespace millstream
