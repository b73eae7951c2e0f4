#include "motion/coarse_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "motion/flow_parameters.h"
#include "motion/refine_rows.h"

namespace millstream {
namespace {

using namespace flow;   // the constants

struct Displacement {
    int x;
    int y;
};

template <class Visit>
void for_each_displacement(const Visit& visit) {
    for (int y = -kSearchRadius; y <= kSearchRadius; ++y) {
        for (int x = -kSearchRadius; x <= kSearchRadius; ++x) {
            visit(Displacement{x, y});
        }
    }
}

double bounded_mean(const ImageRows& difference, int height) {
    double sum = 0;
    for (int y = 0; y < height; ++y) {
        const float* const row = difference.row(y);
        float row_sum = 0;
        for (int x = 0; x < difference.width(); ++x) {
            row_sum += std::min(row[x], kLargestDifference);
        }
        sum += static_cast<double>(row_sum);
    }
    return sum / (static_cast<double>(height) * difference.width());
}

}   // namespace

void CoarseSearch::search(const ImageRows& now, const ImageRows& before, FlowRows& to) {
    const int height = now.height();
    const int width = now.width();
    difference_.reset_with_margin(height, width);
    across_.reset_with_margin(height, width);
    cheapest_.reset_with_margin(height, width);
    cheapest_.fill(std::numeric_limits<float>::max());
    to.x.reset_with_margin(height, width);
    to.y.reset_with_margin(height, width);

    Displacement dominant{0, 0};
    double least = std::numeric_limits<double>::max();
    for_each_displacement([&](Displacement d) {
        find_differences(now, before, d.x, d.y);
        const double cost = bounded_mean(difference_, height) + kStandingStill * std::hypot(d.x, d.y);
        if (cost < least) {
            least = cost;
            dominant = d;
        }
    });
    for_each_displacement([&](Displacement d) {
        find_differences(now, before, d.x, d.y);
        const auto penalty = static_cast<float>(std::hypot(d.x - dominant.x, d.y - dominant.y)) * kSearchPenalty;
        keep_cheaper(static_cast<float>(d.x), static_cast<float>(d.y), penalty, to);
    });
}

void CoarseSearch::find_differences(const ImageRows& now, const ImageRows& before, int dx, int dy) {
    for (int y = 0; y < now.height(); ++y) {
        const float* const a = now.row(y);
        const float* const b = before.row(y + dy) + dx;
        float* const to = difference_.row(y);
        for (int x = 0; x < now.width(); ++x) {
            to[x] = std::abs(b[x] - a[x]);
        }
        difference_.extend_row(y, kSearchWindow / 2);
        refinement::sum_of_five(to, now.width(), across_.row(y));
    }
}

void CoarseSearch::keep_cheaper(float dx, float dy, float penalty, FlowRows& to) {
    const int height = difference_.height();
    constexpr float mean = 1.0F / (kSearchWindow * kSearchWindow);
    for (int y = 0; y < height; ++y) {
        std::array<const float*, kSearchWindow> rows{};
        for (int i = 0; i < kSearchWindow; ++i) {
            rows[static_cast<std::size_t>(i)] = across_.row(std::clamp(y + i - kSearchWindow / 2, 0, height - 1));
        }
        float* const cost = difference_.row(y);   // not needed any more
        refinement::sum_of_rows(rows, difference_.width(), cost);
        float* const cheapest = cheapest_.row(y);
        for (int x = 0; x < difference_.width(); ++x) {
            const float with_penalty = cost[x] * mean + penalty;
            if (with_penalty < cheapest[x]) {
                cheapest[x] = with_penalty;
                to.x.row(y)[x] = dx;
                to.y.row(y)[x] = dy;
            }
        }
    }
}

}   // namespace millstream
