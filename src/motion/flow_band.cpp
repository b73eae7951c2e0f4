#include "motion/flow_band.h"

#include <algorithm>
#include <cstddef>

#include "motion/flow_parameters.h"
#include "motion/row_filters.h"

namespace millstream {
namespace {

using namespace flow;   // the constants

constexpr int kWindowRadius = kRefineWindow / 2;
constexpr int kRingRows = 8;     // of data: a power of two that holds a window
constexpr int kFlowMargin = 8;   // what patches read beyond a row's ends

void copy_row(const ImageRows& from, int y, ImageRows& to) {
    std::copy_n(from.row(y), from.width(), to.row(y));
}

}   // namespace

FlowBand::Needs FlowBand::needs(const Level& level, int first, int end) {
    const int height = level.now.height();
    const auto wider = [height](Range rows, int by) {
        return Range{std::max(rows.first - by, 0), std::min(rows.end + by, height)};
    };
    Needs result{};
    result.changed = wider({first, end}, 1);   // the median's rows
    result.systems = wider(result.changed, level.iterations - 1);
    result.start = wider(result.systems, kWindowRadius);
    result.guess = result.start;
    if (level.match_patches) {
        // Row i of patches covers pixel rows first_pixel_row(i) to first_pixel_row(i) + kPatch - 1.
        result.patches.first = 0;
        while (first_pixel_row(result.patches.first) + kPatch <= result.start.first) {
            ++result.patches.first;
        }
        result.patches.end = result.patches.first;
        while (result.patches.end < patch_rows(height) && first_pixel_row(result.patches.end) < result.start.end) {
            ++result.patches.end;
        }
        result.guess = {std::max(first_pixel_row(result.patches.first), 0),
                        std::min(first_pixel_row(result.patches.end - 1) + kPatch, height)};
    }
    return result;
}

void FlowBand::refine(const Level& level, const FlowRows& start, int first, int end, FlowRows& to) {
    const Needs rows = needs(level, first, end);
    start_.reset(rows.start.first, rows.start.end, level.now.width());
    for (int y = rows.start.first; y < rows.start.end; ++y) {
        copy_row(start.x, y, start_.x);
        copy_row(start.y, y, start_.y);
        start_.extend_row(y, kFlowMargin);
    }
    solve(level, rows);
    finish(level, {first, end}, to);
}

void FlowBand::refine_doubled(const Level& level, const FlowRows& coarse, int first, int end, FlowRows& to) {
    const Needs rows = needs(level, first, end);
    FlowRows& guess = level.match_patches ? guess_ : start_;
    const int width = level.now.width();
    guess.reset(rows.guess.first, rows.guess.end, width);
    line_.reset(0, 1, width);
    for (int y = rows.guess.first; y < rows.guess.end; ++y) {
        const BetweenRows between = between_rows(y, 2, coarse.x.height());
        const auto enlarge = [&](const ImageRows& from, ImageRows& into) {
            enlarge_row(from.row(static_cast<int>(between.upper)), from.row(static_cast<int>(between.lower)),
                        between.down, from.width(), 2, line_.row(0), into.row(y));
            std::transform(into.row(y), into.row(y) + width, into.row(y), [](float v) { return 2 * v; });
        };
        enlarge(coarse.x, guess.x);
        enlarge(coarse.y, guess.y);
        guess.extend_row(y, kFlowMargin);
    }
    if (level.match_patches) {
        match(level, rows);
    }
    solve(level, rows);
    finish(level, {first, end}, to);
}

void FlowBand::match(const Level& level, const Needs& rows) {
    const int width = level.now.width();
    sums_.reset(first_pixel_row(rows.patches.first), first_pixel_row(rows.patches.end - 1) + kPatch, width);
    for (int i = rows.patches.first; i < rows.patches.end; ++i) {
        match_patch_row(level.now, level.before, guess_, i, sums_);
    }
    start_.reset(rows.start.first, rows.start.end, width);
    for (int y = rows.start.first; y < rows.start.end; ++y) {
        const float* const weight = sums_.weight.row(y);
        const auto mean = [&](const ImageRows& sum, ImageRows& to) {
            std::transform(sum.row(y), sum.row(y) + width, weight, to.row(y), [](float s, float w) { return s / w; });
        };
        mean(sums_.flow.x, start_.x);
        mean(sums_.flow.y, start_.y);
        start_.extend_row(y, kFlowMargin);
    }
}

void FlowBand::solve(const Level& level, const Needs& rows) {
    find_likeness(level, rows.systems);
    find_systems(level, rows.systems);
    iterate(level, rows);
}

void FlowBand::find_likeness(const Level& level, Range rows) {
    const int width = level.now.width();
    const int last = level.now.height() - 1;
    across_.reset(rows.first, rows.end, width);
    down_.reset(rows.first - 1, rows.end, width);
    for (int y = rows.first - 1; y < rows.end; ++y) {
        if (y >= rows.first) {
            refinement::likeness_across(level.now.row(y), width, across_.row(y));
        }
        if (y < 0 || y == last) {
            std::fill_n(down_.row(y), width, kLeastEdgeWeight);
        } else {
            refinement::likeness_down(level.now.row(y), level.now.row(y + 1), width, down_.row(y));
        }
    }
}

refinement::LikenessRows FlowBand::likeness(int y) const {
    return {across_.row(y), down_.row(y - 1), down_.row(y)};
}

refinement::SystemRows FlowBand::system(int y) {
    return {system_[0].row(y), system_[1].row(y), system_[2].row(y), system_[3].row(y), system_[4].row(y)};
}

// The data of a window's rows is kept as sums of five side by side, in a ring; each row's system adds five of them up.
void FlowBand::find_systems(const Level& level, Range rows) {
    const int width = level.now.width();
    const int height = level.now.height();
    for (ImageRows& image : system_) {
        image.reset(rows.first, rows.end, width);
    }
    for (ImageRows& image : data_) {
        image.reset(0, kRingRows + 2, width);
    }
    const auto ring = [](int y) { return y & (kRingRows - 1); };
    refinement::DataRows fresh{};
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        fresh.at(i) = data_.at(i).row(kRingRows);   // two rows of work space behind the ring
    }
    int ready = std::max(rows.first - kWindowRadius, 0);
    for (int y = rows.first; y < rows.end; ++y) {
        for (; ready <= std::min(y + kWindowRadius, height - 1); ++ready) {
            refinement::data_row(level.now, level.before, ready, start_.x.row(ready), start_.y.row(ready), fresh);
            for (ImageRows& image : data_) {
                image.extend_row(kRingRows, kWindowRadius);
                refinement::sum_of_five(image.row(kRingRows), width, image.row(ring(ready)));
            }
        }
        refinement::DataRows sums{};
        for (std::size_t i = 0; i < sums.size(); ++i) {
            std::array<const float*, kRefineWindow> window{};
            for (int j = 0; j < kRefineWindow; ++j) {
                window.at(static_cast<std::size_t>(j)) =
                    data_.at(i).row(ring(std::clamp(y + j - kWindowRadius, 0, height - 1)));
            }
            sums.at(i) = data_.at(i).row(kRingRows + 1);
            refinement::sum_of_rows(window, width, sums.at(i));
        }
        refinement::system_row(sums, likeness(y), start_.x.row(y), start_.y.row(y), level.smoothness, width, system(y));
    }
}

// Each iteration leaves one row less on either side, except at the image's edge.
void FlowBand::iterate(const Level& level, const Needs& needs) {
    const int width = level.now.width();
    const int height = level.now.height();
    for (FlowRows& state : state_) {
        state.reset(needs.systems.first, needs.systems.end, width);
    }
    FlowRows* from = &start_;
    FlowRows* to = state_.data();
    for (int i = 1; i <= level.iterations; ++i) {
        const int left = level.iterations - i;
        const int first = std::max(needs.changed.first - left, 0);
        const int end = std::min(needs.changed.end + left, height);
        for (int y = first; y < end; ++y) {
            const int above = std::max(y - 1, 0);
            const int below = std::min(y + 1, height - 1);
            refinement::iterate_row(system(y), likeness(y), {from->x.row(above), from->y.row(above)},
                                    {from->x.row(y), from->y.row(y)}, {from->x.row(below), from->y.row(below)}, width,
                                    to->x.row(y), to->y.row(y));
            to->extend_row(y, 1);
        }
        from = to;
        to = to == state_.data() ? state_.data() + 1 : state_.data();
    }
    solved_ = from;
    for (int y = needs.changed.first; y < needs.changed.end; ++y) {
        refinement::limit_row(start_.x.row(y), from->x.row(y), width, from->x.row(y));
        refinement::limit_row(start_.y.row(y), from->y.row(y), width, from->y.row(y));
        from->extend_row(y, 1);
    }
}

void FlowBand::finish(const Level& level, Range rows, FlowRows& to) {
    const int height = level.now.height();
    for (int y = rows.first; y < rows.end; ++y) {
        if (level.end_with_median) {
            const int above = std::max(y - 1, 0);
            const int below = std::min(y + 1, height - 1);
            const auto median = [&](const ImageRows& from, ImageRows& into) {
                median_row(from.row(above), from.row(y), from.row(below), from.width(), into.row(y));
            };
            median(solved_->x, to.x);
            median(solved_->y, to.y);
        } else {
            copy_row(solved_->x, y, to.x);
            copy_row(solved_->y, y, to.y);
        }
        to.extend_row(y, 1);
    }
}

}   // namespace millstream
