#include "enhance/blocks.h"

namespace millstream {
namespace {

// Beyond this many the pairs are too many to look at each: runs are joined with near ones only.
constexpr std::size_t kNearest = 256;

// Runs of needed blocks, each as many rows high as have the very same run.
std::vector<Rectangle> runs(const BlockGrid<std::uint8_t>& needed) {
    std::vector<Rectangle> found;
    std::vector<std::size_t> open;   // of the row above
    for (int row = 0; row < needed.rows; ++row) {
        std::vector<std::size_t> now;
        for (int column = 0; column < needed.columns;) {
            if (needed.at(column, row) == 0) {
                ++column;
                continue;
            }
            const int left = column;
            while (column < needed.columns && needed.at(column, row) != 0) {
                ++column;
            }
            const auto same = std::find_if(open.begin(), open.end(), [&](std::size_t i) {
                return found[i].left == left && found[i].right == column;
            });
            if (same != open.end()) {
                found[*same].bottom = row + 1;
                now.push_back(*same);
            } else {
                now.push_back(found.size());
                found.push_back({left, row, column, row + 1});
            }
        }
        open = std::move(now);
    }
    return found;
}

// Joins the rectangle at `i` with the one that saves most, and takes in what lies inside then. False: none saves.
bool join_best(std::vector<Rectangle>& all, std::size_t i, const RectangleCost& cost) {
    std::int64_t most = 0;
    std::size_t best = i;
    const std::size_t end = std::min(all.size(), i + kNearest);
    for (std::size_t j = i + 1; j < end; ++j) {
        const std::int64_t saved = cost.of(all[i]) + cost.of(all[j]) - cost.of(joined(all[i], all[j]));
        if (saved > most) {
            most = saved;
            best = j;
        }
    }
    if (best == i) {
        return false;
    }
    const Rectangle both = joined(all[i], all[best]);
    all[i] = both;
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(best));
    for (std::size_t k = all.size(); k-- > 0;) {
        if (k != i && both.contains(all[k])) {
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(k));
            i -= k < i ? 1 : 0;
        }
    }
    return true;
}

}   // namespace

std::vector<Rectangle> cover(const BlockGrid<std::uint8_t>& needed, const RectangleCost& cost) {
    std::vector<Rectangle> all = runs(needed);
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 0; i < all.size(); ++i) {
            while (i < all.size() && join_best(all, i, cost)) {
                changed = true;
            }
        }
    }
    return all;
}

}   // namespace millstream
