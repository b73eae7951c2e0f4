#include "enhance/blocks.h"

#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

namespace millstream {
namespace {

// Beyond this many blocks (1080p has 8,000) only the cut that looks best is followed.
constexpr std::size_t kManyBlocks = 16'000;

// Note [Cutting]
// Cuts from edge to edge, again and again, as long as that is the cheaper. The best of all such ways is found by trying
// every cut of every part: 40 ms (640x352), 440 ms (848x480). Here a part's cuts are ranked by what they would cost if
// each half were cut once more at most, and the two that look best are followed to the end: 2 ms, 11 ms, and 100 ms for
// 1920x1072. Share of the frame computed, halos included, for the same needed blocks (`safe`, a flow for every frame):
//
//                                  chaplin   bbb    onepiece
//     needed blocks alone           .231     .289    .082
//     runs joined pair by pair      .462     .653    .165      (the best pair of all first: no better)
//     the best-looking cut          .437     .605    .149
//     the two best-looking          .433     .598    .148
//     every cut                     .428     .587    .147
class Cutting {
public:
    Cutting(const BlockGrid<std::uint8_t>& needed, const RectangleCost& cost)
        : whole_{0, 0, needed.columns, needed.rows},
          counts_(needed.columns, needed.values),
          cost_(cost),
          followed_(needed.values.size() > kManyBlocks ? 1 : 2) {}

    std::vector<Rectangle> best() {
        std::vector<Rectangle> areas;
        take(whole_, areas);
        return areas;
    }

private:
    struct Cut {
        std::int64_t cost = 0;
        Rectangle first;
        Rectangle second;
    };
    struct Answer {
        std::int64_t cost = 0;
        std::optional<Cut> cut;   // none: the rectangle as it is
    };

    // The part of `r` that needed blocks reach to; none: there are none.
    [[nodiscard]] std::optional<Rectangle> bounds_of(Rectangle r) const {
        if (counts_.in(r) == 0) {
            return std::nullopt;
        }
        while (counts_.in({r.left, r.top, r.left + 1, r.bottom}) == 0) {
            ++r.left;
        }
        while (counts_.in({r.right - 1, r.top, r.right, r.bottom}) == 0) {
            --r.right;
        }
        while (counts_.in({r.left, r.top, r.right, r.top + 1}) == 0) {
            ++r.top;
        }
        while (counts_.in({r.left, r.bottom - 1, r.right, r.bottom}) == 0) {
            --r.bottom;
        }
        return r;
    }

    static std::uint64_t key(const Rectangle& r) {
        const auto bits = [](int value) { return static_cast<std::uint64_t>(value); };
        return bits(r.left) << 48U | bits(r.top) << 32U | bits(r.right) << 16U | bits(r.bottom);
    }

    template <class Visit>
    static void each_cut(const Rectangle& r, const Visit& visit) {
        for (int x = r.left + 1; x < r.right; ++x) {
            visit(Rectangle{r.left, r.top, x, r.bottom}, Rectangle{x, r.top, r.right, r.bottom});
        }
        for (int y = r.top + 1; y < r.bottom; ++y) {
            visit(Rectangle{r.left, r.top, r.right, y}, Rectangle{r.left, y, r.right, r.bottom});
        }
    }

    [[nodiscard]] std::int64_t uncut(const Rectangle& part) const {
        const auto bounds = bounds_of(part);
        return bounds ? cost_.of(*bounds) : 0;
    }

    // With one cut at most.
    std::int64_t glance(const Rectangle& part) {
        const auto bounds = bounds_of(part);
        if (!bounds) {
            return 0;
        }
        const auto [known, fresh] = glances_.try_emplace(key(*bounds), cost_.of(*bounds));
        if (fresh) {
            std::int64_t& least = known->second;
            each_cut(*bounds, [&](const Rectangle& first, const Rectangle& second) {
                least = std::min(least, uncut(first) + uncut(second));
            });
        }
        return known->second;
    }

    // Those that look best, best first; unused ones are empty.
    std::array<Cut, 2> promising(const Rectangle& bounds) {
        std::array<Cut, 2> best;
        each_cut(bounds, [&](const Rectangle& first, const Rectangle& second) {
            const Cut cut{glance(first) + glance(second), first, second};
            const auto better = [&cut](const Cut& than) { return than.first.area() == 0 || cut.cost < than.cost; };
            if (better(best[0])) {
                best[1] = std::exchange(best[0], cut);
            } else if (better(best[1])) {
                best[1] = cut;
            }
        });
        return best;
    }

    std::int64_t cost(const Rectangle& part) {
        const auto bounds = bounds_of(part);
        return bounds ? answer(*bounds).cost : 0;
    }

    const Answer& answer(const Rectangle& bounds) {
        if (const auto known = answers_.find(key(bounds)); known != answers_.end()) {
            return known->second;
        }
        Answer found{cost_.of(bounds), std::nullopt};
        if (counts_.in(bounds) < bounds.area()) {
            const auto cuts = promising(bounds);
            for (int i = 0; i < followed_ && cuts[static_cast<std::size_t>(i)].first.area() > 0; ++i) {
                Cut cut = cuts[static_cast<std::size_t>(i)];
                cut.cost = cost(cut.first) + cost(cut.second);
                if (cut.cost < found.cost) {
                    found = {cut.cost, cut};
                }
            }
        }
        return answers_.emplace(key(bounds), found).first->second;
    }

    void take(const Rectangle& part, std::vector<Rectangle>& areas) {
        const auto bounds = bounds_of(part);
        if (!bounds) {
            return;
        }
        const auto cut = answer(*bounds).cut;
        if (!cut) {
            areas.push_back(*bounds);
            return;
        }
        take(cut->first, areas);
        take(cut->second, areas);
    }

    Rectangle whole_;
    CellCounts counts_;
    RectangleCost cost_;
    int followed_;
    std::unordered_map<std::uint64_t, std::int64_t> glances_;   // by what is cut, as bounds_of() has it
    std::unordered_map<std::uint64_t, Answer> answers_;
};

}   // namespace

CellCounts::CellCounts(int columns, std::span<const std::uint8_t> cells)
    : columns_(columns),
      rows_(columns > 0 ? static_cast<int>(cells.size()) / columns : 0),
      sums_(static_cast<std::size_t>(columns_ + 1) * static_cast<std::size_t>(rows_ + 1)) {
    auto cell = cells.begin();
    for (int row = 0; row < rows_; ++row) {
        for (int column = 0; column < columns_; ++column, ++cell) {
            sums_[index(column + 1, row + 1)] =
                (*cell != 0 ? 1 : 0) + at(column, row + 1) + at(column + 1, row) - at(column, row);
        }
    }
}

std::vector<Rectangle> cover(const BlockGrid<std::uint8_t>& needed, const RectangleCost& cost) {
    return Cutting(needed, cost).best();
}

}   // namespace millstream
