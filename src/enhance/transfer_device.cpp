#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "enhance/transfer.h"
#include "motion/filters.h"

namespace millstream {
namespace {

// In input pixels.
struct Band {
    std::int64_t top;
    std::int64_t bottom;
    [[nodiscard]] std::int64_t height() const { return bottom - top; }
};

// The rows of `planes` [c,h,w] in `band` as they are in the whole, enlarged. Two rows around have a say in them.
at::Tensor enlarged_rows(const at::Tensor& planes, const Band& band, std::int64_t scale, Interpolation interpolation) {
    constexpr std::int64_t kAround = 2;
    const std::int64_t first = std::max(band.top - kAround, std::int64_t{0});
    const std::int64_t rows = std::min(band.bottom + kAround, planes.size(1)) - first;
    const at::Tensor part = planes.narrow(1, first, rows).unsqueeze(0);
    const std::vector<std::int64_t> size{rows * scale, planes.size(2) * scale};
    const at::Tensor large = interpolation == Interpolation::bicubic ? at::upsample_bicubic2d(part, size, false)
                                                                     : at::upsample_bilinear2d(part, size, false);
    return large.squeeze(0).narrow(1, (band.top - first) * scale, band.height() * scale);
}

// What `pixels` are of a tensor that begins at the left upper corner of `of`.
at::Tensor part(const at::Tensor& tensor, const Rectangle& pixels, const Rectangle& of) {
    return tensor.narrow(1, pixels.top - of.top, pixels.height()).narrow(2, pixels.left - of.left, pixels.width());
}

// How much a computed area counts: less and less outside what it is for.
struct Fading {
    at::Tensor falling;   // by the distance in output pixels
    at::Tensor ones;

    // From `first` to `end` along one side, for what is from `kept_first` to `kept_end`.
    [[nodiscard]] at::Tensor along(int first, int kept_first, int kept_end, int end) const {
        return at::cat({falling.narrow(0, 0, kept_first - first).flip(0), ones.narrow(0, 0, kept_end - kept_first),
                        falling.narrow(0, 0, end - kept_end)});
    }
};

// A frame on its way; what is called `there` is of its band, in the output.
class FrameThere {
public:
    FrameThere(const TransferInputs& inputs, const ReuseSettings& settings, at::Tensor& output)
        : inputs_(inputs),
          plan_(inputs.plan),
          settings_(settings),
          output_(output),
          frame_{static_cast<int>(inputs.input.size(2)), static_cast<int>(inputs.input.size(1))},
          scale_(output.size(2) / frame_.width) {}

    void carry_on() {
        for (int row = 0; row < plan_.source.rows; row += kRowsTogether) {
            const int end = std::min(row + kRowsTogether, plan_.source.rows);
            const Band band{std::int64_t{row} * kBlock, std::min(std::int64_t{end} * kBlock, inputs_.input.size(1))};
            at::Tensor there = output_.narrow(1, band.top * scale_, band.height() * scale_);
            const at::Tensor last = inputs_.last.narrow(1, band.top * scale_, band.height() * scale_);
            if (any_moved(row, end)) {
                const at::Tensor moved =
                    pixels_where(plan_.source_there.narrow(0, row, end - row), BlockSource::moved, kBlock * scale_)
                        .narrow(0, 0, there.size(1))
                        .narrow(1, 0, there.size(2));
                at::where_out(there, moved, brought(band), last);
            } else {
                there.copy_(last);
            }
            there.add_(enlarged_rows(plan_.added, band, scale_, Interpolation::bicubic));
        }
    }

    void mix_fades() {
        const std::int64_t fade = settings_.fade * scale_;
        const Fading fading{1 - (at::arange(fade, output_.options()) + 0.5) / fade,
                            at::ones({std::max(output_.size(1), output_.size(2))}, output_.options())};
        for (std::size_t i = 0; i < plan_.areas.size(); ++i) {
            const Rectangle kept = in_output(plan_.areas[i], 0);
            const Rectangle wide = in_output(plan_.areas[i], settings_.fade);
            const at::Tensor weight = fading.along(wide.top, kept.top, kept.bottom, wide.bottom).unsqueeze(1) *
                                      fading.along(wide.left, kept.left, kept.right, wide.right);
            const at::Tensor there = part(output_, wide, {});
            there.add_((result(i, wide) - there).mul_(weight));
        }
    }

    void copy_areas() {
        for (std::size_t i = 0; i < plan_.areas.size(); ++i) {
            const Rectangle kept = in_output(plan_.areas[i], 0);
            part(output_, kept, {}).copy_(result(i, kept));
        }
    }

private:
    [[nodiscard]] bool any_moved(int row, int end) const {
        const auto first = plan_.source.values.begin();
        const auto columns = std::int64_t{plan_.source.columns};
        return plan_.flow.defined() &&
               std::find(first + row * columns, first + end * columns, BlockSource::moved) != first + end * columns;
    }

    // The last output along the flow.
    [[nodiscard]] at::Tensor brought(const Band& band) const {
        const at::Tensor flow = enlarged_rows(plan_.flow, band, scale_, Interpolation::bilinear) * scale_;
        flow.select(0, 1).add_(band.top * scale_);   // from the top of the frame
        return warp(inputs_.last.unsqueeze(0), flow.unsqueeze(0), Interpolation::bicubic).squeeze(0);
    }

    [[nodiscard]] Rectangle in_output(const Rectangle& blocks, int around) const {
        return enlarged(in_pixels(blocks, frame_, around), scale_);
    }
    [[nodiscard]] at::Tensor result(std::size_t area, const Rectangle& pixels) const {
        return part(inputs_.results[area], pixels, in_output(plan_.areas[area], settings_.halo));
    }

    const TransferInputs& inputs_;
    const ReusePlan& plan_;
    const ReuseSettings& settings_;
    at::Tensor& output_;
    Size frame_;
    std::int64_t scale_;
};

}   // namespace

void put_together_there(const TransferInputs& inputs, const ReuseSettings& settings, at::Tensor& output) {
    FrameThere frame(inputs, settings, output);
    if (settings.exact) {
        output.copy_(inputs.last);
    } else {
        frame.carry_on();
    }
    if (settings.fade > 0) {
        frame.mix_fades();
    }
    frame.copy_areas();
}

double check_error_there(const ReusePlan& plan, const ReuseSettings& settings, const at::Tensor& output,
                         const at::Tensor& result, const TableWays& ways) {
    const Size frame{static_cast<int>(plan.added.size(2)), static_cast<int>(plan.added.size(1))};
    const std::int64_t scale = output.size(2) / frame.width;
    const Rectangle read = enlarged(in_pixels(*plan.check, frame, settings.halo), scale);
    std::vector<at::Tensor> sums;
    std::int64_t count = 0;
    for (int row = plan.check->top; row < plan.check->bottom; ++row) {
        for (int column = plan.check->left; column < plan.check->right; ++column) {
            if (plan.source.at(column, row) == BlockSource::computed) {
                continue;
            }
            const Rectangle block = enlarged(in_pixels({column, row, column + 1, row + 1}, frame, 0), scale);
            sums.push_back((part(output, block, {}) - part(result, block, read)).square_().sum());
            count += 3 * block.area();
        }
    }
    if (count == 0) {
        return 0;
    }
    const at::Tensor sum = ways.fetch(at::stack(sums).sum(0, /*keepdim=*/true));
    return 255 * std::sqrt(static_cast<double>(*sum.const_data_ptr<float>()) / static_cast<double>(count));
}

}   // namespace millstream
