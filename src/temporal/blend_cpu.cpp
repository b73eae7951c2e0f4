#include "temporal/blend_cpu.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "motion/row_filters.h"
#include "motion/sample_row.h"
#include "temporal/blend_row.h"

namespace millstream {
namespace {

// Rows are worked on in bands, each by one thread. The frame is overwritten as it goes, so the rows that a band shares
// with its neighbours are saved first: two in kBandRows.
constexpr std::int64_t kBandRows = 32;
constexpr std::int64_t kChannels = 3;

}   // namespace

struct CpuBlend::Job {
    float* frame;
    const float* history;
    const float* flow;
    const float* light;
    const float* weight;
    const bool* still;
    std::int64_t height;   // of the output
    std::int64_t width;
    std::int64_t input_height;
    std::int64_t input_width;
    std::int64_t scale;

    [[nodiscard]] std::int64_t bands() const { return (height + kBandRows - 1) / kBandRows; }
    [[nodiscard]] float* row(std::int64_t channel, std::int64_t y) const {
        return frame + (channel * height + y) * width;
    }
};

namespace {

// One thread's rows of an output row's length, with room for borders.
class RowScratch {
public:
    static std::int64_t floats(std::int64_t width) { return kRows * (width + 4); }
    RowScratch(float* memory, std::int64_t width) : memory_(memory), stride_(width + 4) {}

    [[nodiscard]] float* flow_x() const { return row(0); }
    [[nodiscard]] float* flow_y() const { return row(1); }
    [[nodiscard]] float* weight() const { return row(2); }
    [[nodiscard]] float* between() const { return row(3); }
    [[nodiscard]] float* sums() const { return row(4); }   // two rows
    [[nodiscard]] float* history(std::int64_t channel) const { return row(6 + channel); }
    // The rows at y - 1 and y as they were before anything was mixed.
    [[nodiscard]] float* above(std::int64_t channel) const { return row(9 + (even_ ? 0 : 3) + channel); }
    [[nodiscard]] float* own(std::int64_t channel) const { return row(9 + (even_ ? 3 : 0) + channel); }
    void advance() { even_ = !even_; }

private:
    static constexpr std::int64_t kRows = 15;
    [[nodiscard]] float* row(std::int64_t index) const { return memory_ + index * stride_; }
    float* memory_;
    std::int64_t stride_;
    bool even_ = true;
};

// Calls apply(first pixel, pixels) for every run of still pixels of a row, in output pixels.
template <class Apply>
void for_each_still_run(const bool* still, std::int64_t width, std::int64_t scale, const Apply& apply) {
    for (std::int64_t x = 0; x < width;) {
        if (!still[x]) {
            ++x;
            continue;
        }
        const std::int64_t begin = x;
        while (x < width && still[x]) {
            ++x;
        }
        apply(begin * scale, (x - begin) * scale);
    }
}

// Weights and warped history of a row. Pixels that will be copied get no weight, so that none is computed for them.
void find_history(const CpuBlend::Job& job, std::int64_t y, const bool* still, const RowScratch& scratch) {
    const BetweenRows rows = between_rows(y, job.scale, job.input_height);
    const auto enlarge = [&](const float* plane, float* to) {
        enlarge_row(plane + rows.upper * job.input_width, plane + rows.lower * job.input_width, rows.down,
                    job.input_width, job.scale, scratch.between(), to);
    };
    enlarge(job.flow, scratch.flow_x());
    enlarge(job.flow + job.input_height * job.input_width, scratch.flow_y());
    enlarge(job.weight, scratch.weight());
    for_each_still_run(still, job.input_width, job.scale,
                       [&](std::int64_t x, std::int64_t count) { std::fill_n(scratch.weight() + x, count, 0.0F); });
    float* const history[3] = {scratch.history(0), scratch.history(1), scratch.history(2)};
    sample_row({job.history, job.height, job.width}, y, static_cast<float>(job.scale), scratch.flow_x(),
               scratch.flow_y(), scratch.weight(), history);
}

}   // namespace

void CpuBlend::blend(at::Tensor& frame, const BlendInputs& inputs) {
    const Job job{.frame = frame.mutable_data_ptr<float>(),
                  .history = inputs.history.const_data_ptr<float>(),
                  .flow = inputs.flow.const_data_ptr<float>(),
                  .light = inputs.light.const_data_ptr<float>(),
                  .weight = inputs.weight.const_data_ptr<float>(),
                  .still = inputs.still.const_data_ptr<bool>(),
                  .height = frame.size(1),
                  .width = frame.size(2),
                  .input_height = inputs.flow.size(1),
                  .input_width = inputs.flow.size(2),
                  .scale = frame.size(2) / inputs.flow.size(2)};
    save_borders(job);
    scratch_.resize(static_cast<std::size_t>(RowScratch::floats(job.width) * at::get_num_threads()));
    at::parallel_for(0, job.bands(), 1, [&](std::int64_t first, std::int64_t end) {
        for (std::int64_t band = first; band < end; ++band) {
            run_band(job, band);
        }
    });
}

// The row above each band and the one below it; at the frame's edge its outermost row stands in.
void CpuBlend::save_borders(const Job& job) {
    borders_.resize(static_cast<std::size_t>(job.bands() * 2 * kChannels * job.width));
    float* to = borders_.data();
    for (std::int64_t band = 0; band < job.bands(); ++band) {
        const std::int64_t above = std::max<std::int64_t>(band * kBandRows - 1, 0);
        const std::int64_t below = std::min((band + 1) * kBandRows, job.height - 1);
        for (const std::int64_t y : {above, below}) {
            for (std::int64_t c = 0; c < kChannels; ++c) {
                to = std::copy_n(job.row(c, y), job.width, to);
            }
        }
    }
}

void CpuBlend::run_band(const Job& job, std::int64_t band) {
    RowScratch scratch(scratch_.data() + RowScratch::floats(job.width) * at::get_thread_num(), job.width);
    const float* const saved = borders_.data() + band * 2 * kChannels * job.width;
    for (std::int64_t c = 0; c < kChannels; ++c) {
        std::copy_n(saved + c * job.width, job.width, scratch.above(c));
    }
    const std::int64_t end = std::min((band + 1) * kBandRows, job.height);
    for (std::int64_t y = band * kBandRows; y < end; ++y) {
        const bool* const still = job.still + y / job.scale * job.input_width;
        find_history(job, y, still, scratch);
        for (std::int64_t c = 0; c < kChannels; ++c) {
            float* const row = job.row(c, y);
            const float* const below = y + 1 < end ? job.row(c, y + 1) : saved + (kChannels + c) * job.width;
            std::copy_n(row, job.width, scratch.own(c));
            blend::mix_row(scratch.above(c), scratch.own(c), below, scratch.history(c), job.light[0], job.light[1],
                           scratch.weight(), job.width, scratch.sums(), row);
            const float* const last = job.history + (c * job.height + y) * job.width;
            for_each_still_run(still, job.input_width, job.scale,
                               [&](std::int64_t x, std::int64_t count) { std::copy_n(last + x, count, row + x); });
        }
        scratch.advance();
    }
}

}   // namespace millstream
