#include "motion/cpu_flow.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "motion/flow_parameters.h"
#include "motion/row_filters.h"

namespace millstream {
namespace {

using namespace flow;   // the constants

constexpr int kBandRows = 64;   // with some ten more to compute again on either side

void copy_image(const at::Tensor& from, ImageRows& to) {
    const auto height = static_cast<int>(from.size(2));
    const auto width = static_cast<int>(from.size(3));
    to.reset_with_margin(height, width);
    const float* row = from.const_data_ptr<float>();
    for (int y = 0; y < height; ++y, row += width) {
        std::copy_n(row, width, to.row(y));
    }
    to.extend();
}

// An odd side repeats its last line, which the margin holds.
void halve_image(const ImageRows& from, ImageRows& to) {
    to.reset_with_margin((from.height() + 1) / 2, (from.width() + 1) / 2);
    for (int y = 0; y < to.height(); ++y) {
        halve_row(from.row(2 * y), from.row(2 * y + 1), to.width(), to.row(y));
    }
    to.extend();
}

void median(const FlowRows& from, FlowRows& to) {
    const auto plane = [](const ImageRows& image, ImageRows& result) {
        const int height = image.height();
        result.reset_with_margin(height, image.width());
        for (int y = 0; y < height; ++y) {
            median_row(image.row(std::max(y - 1, 0)), image.row(y), image.row(std::min(y + 1, height - 1)),
                       image.width(), result.row(y));
            result.extend_row(y, 1);
        }
    };
    plane(from.x, to.x);
    plane(from.y, to.y);
}

}   // namespace

at::Tensor CpuFlow::flow(const at::Tensor& luma, const at::Tensor& previous) {
    build_pyramid(luma, previous);
    bands_.resize(static_cast<std::size_t>(std::max(at::get_num_threads(), 1)));
    start_at_coarsest();
    for (int level = static_cast<int>(levels_.size()) - 2; level >= 0; --level) {
        run_level(level, flows_[0], flows_[1]);
        std::swap(flows_[0], flows_[1]);
    }
    at::Tensor result = at::empty({1, 2, luma.size(2), luma.size(3)}, luma.options());
    float* to = result.mutable_data_ptr<float>();
    for (const ImageRows* image : {&flows_[0].x, &flows_[0].y}) {
        for (int y = 0; y < image->height(); ++y) {
            to = std::copy_n(image->row(y), image->width(), to);
        }
    }
    return result;
}

void CpuFlow::build_pyramid(const at::Tensor& luma, const at::Tensor& previous) {
    levels_.resize(static_cast<std::size_t>(pyramid_levels(luma.size(2), luma.size(3))));
    copy_image(luma, levels_.front().now);
    copy_image(previous, levels_.front().before);
    for (std::size_t i = 1; i < levels_.size(); ++i) {
        halve_image(levels_[i - 1].now, levels_[i].now);
        halve_image(levels_[i - 1].before, levels_[i].before);
    }
}

// Few pixels, many dependent steps: one band, one thread. Leaves its result in flows_[0].
void CpuFlow::start_at_coarsest() {
    const PyramidLevel& coarsest = levels_.back();
    const int height = coarsest.now.height();
    search_.search(coarsest.now, coarsest.before, flows_[1]);
    for (int y = 0; y < height; ++y) {
        flows_[1].extend_row(y, 1);
    }
    median(flows_[1], flows_[0]);
    for (int i = 0; i < kCoarsestRefinements; ++i) {
        bands_.front().refine({.now = coarsest.now,
                               .before = coarsest.before,
                               .iterations = kCoarsestIterations,
                               .smoothness = 2 * kSmoothness,
                               .match_patches = false,
                               .end_with_median = false},
                              flows_[0], 0, height, flows_[1]);
        std::swap(flows_[0], flows_[1]);
    }
}

void CpuFlow::run_level(int index, const FlowRows& coarse, FlowRows& to) {
    const PyramidLevel& images = levels_[static_cast<std::size_t>(index)];
    const FlowBand::Level level{.now = images.now,
                                .before = images.before,
                                .iterations = iterations_at(index),
                                .smoothness = kSmoothness,
                                .match_patches = index >= finest_patch_level(quality_),
                                .end_with_median = true};
    const int height = images.now.height();
    to.x.reset_with_margin(height, images.now.width());
    to.y.reset_with_margin(height, images.now.width());
    at::parallel_for(0, (height + kBandRows - 1) / kBandRows, 1, [&](std::int64_t first, std::int64_t end) {
        FlowBand& band = bands_[static_cast<std::size_t>(at::get_thread_num())];
        for (std::int64_t i = first; i < end; ++i) {
            const int top = static_cast<int>(i) * kBandRows;
            band.refine_doubled(level, coarse, top, std::min(top + kBandRows, height), to);
        }
    });
}

}   // namespace millstream
