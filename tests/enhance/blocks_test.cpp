#include "enhance/blocks.h"

#include <gtest/gtest.h>

#include <random>

namespace millstream {
namespace {

constexpr Size kFrame{320, 170};   // the last row of blocks is cut short

BlockGrid<std::uint8_t> grid(const std::vector<std::pair<int, int>>& needed) {
    BlockGrid<std::uint8_t> result(kFrame, 0);
    for (const auto& [column, row] : needed) {
        result.at(column, row) = 1;
    }
    return result;
}

std::int64_t total(const std::vector<Rectangle>& areas, const RectangleCost& cost) {
    std::int64_t sum = 0;
    for (const Rectangle& area : areas) {
        sum += cost.of(area);
    }
    return sum;
}

TEST(Blocks, one_block_is_covered_by_itself) {
    const auto areas = cover(grid({{3, 4}}), {kFrame, 8, 0});
    ASSERT_EQ(areas.size(), 1U);
    EXPECT_EQ(areas[0], (Rectangle{3, 4, 4, 5}));
    EXPECT_EQ(in_pixels(areas[0], kFrame, 8), (Rectangle{40, 56, 72, 88}));
}

TEST(Blocks, nothing_needed_is_covered_by_nothing) {
    EXPECT_TRUE(cover(grid({}), {kFrame, 8, 0}).empty());
}

TEST(Blocks, near_blocks_share_a_rectangle_and_far_ones_do_not) {
    EXPECT_EQ(cover(grid({{3, 4}, {4, 4}, {3, 5}}), {kFrame, 8, 0}).size(), 1U) << "one more block, one halo less";
    EXPECT_EQ(cover(grid({{0, 0}, {19, 10}}), {kFrame, 8, 0}).size(), 2U);
    EXPECT_EQ(cover(grid({{3, 4}, {4, 4}, {3, 5}}), {kFrame, 0, 0}).size(), 2U) << "without halos nothing is saved";
}

TEST(Blocks, a_corner_is_cut_in_two_rather_than_boxed) {
    std::vector<std::pair<int, int>> needed;
    for (int i = 0; i < 10; ++i) {
        needed.emplace_back(2, i);
        needed.emplace_back(2 + i, 9);
    }
    const RectangleCost cost{kFrame, 8, 64};
    const auto areas = cover(grid(needed), cost);
    EXPECT_EQ(areas.size(), 2U);
    EXPECT_LE(total(areas, cost), cost.of({2, 0, 3, 9}) + cost.of({2, 9, 12, 10}));
}

TEST(Blocks, cells_are_counted_within_the_grid_and_nowhere_else) {
    const CellCounts counts(3, std::vector<std::uint8_t>{1, 0, 0,   //
                                                         0, 0, 2});
    EXPECT_EQ(counts.in({0, 0, 3, 2}), 2);
    EXPECT_EQ(counts.in({1, 0, 2, 2}), 0);
    EXPECT_EQ(counts.in({-5, -5, 1, 9}), 1);
    EXPECT_EQ(counts.in({3, 0, 7, 2}), 0);
}

TEST(Blocks, areas_end_at_the_edge_of_the_frame) {
    const auto areas = cover(grid({{19, 10}}), {kFrame, 8, 0});
    EXPECT_EQ(in_pixels(areas[0], kFrame, 8), (Rectangle{296, 152, 320, 170}));
}

TEST(Blocks, whatever_is_needed_is_covered_and_costs_no_more_than_block_by_block) {
    std::mt19937 random(1);
    for (const int percent : {2, 10, 40, 80}) {
        BlockGrid<std::uint8_t> needed(kFrame, 0);
        std::int64_t alone = 0;
        const RectangleCost cost{kFrame, 8, 64};
        for (int row = 0; row < needed.rows; ++row) {
            for (int column = 0; column < needed.columns; ++column) {
                const bool one = static_cast<int>(random() % 100) < percent;
                needed.at(column, row) = one ? 1 : 0;
                alone += one ? cost.of({column, row, column + 1, row + 1}) : 0;
            }
        }
        const auto areas = cover(needed, cost);
        BlockGrid<std::uint8_t> covered(kFrame, 0);
        for (const Rectangle& area : areas) {
            for (int row = area.top; row < area.bottom; ++row) {
                for (int column = area.left; column < area.right; ++column) {
                    ++covered.at(column, row);
                }
            }
        }
        for (std::size_t i = 0; i < needed.values.size(); ++i) {
            EXPECT_LE(needed.values[i], covered.values[i]) << percent;
            EXPECT_LE(covered.values[i], 1) << "none lies over another, " << percent;
        }
        EXPECT_LE(total(areas, cost), alone) << percent;
        EXPECT_EQ(cover(needed, cost), areas) << "the same every time";
    }
}

}   // namespace
}   // namespace millstream
