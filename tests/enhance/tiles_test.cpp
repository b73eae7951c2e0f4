#include "enhance/tiles.h"

#include <gtest/gtest.h>

#include "millstream/error.h"

namespace millstream {
namespace {

// Every combination small enough to enumerate: the properties hold for all of them, not for chosen examples.
TEST(CutSide, kept_parts_cover_the_side_once_and_have_their_halo) {
    for (int halo = 0; halo <= 5; ++halo) {
        for (int tile = 2 * halo + 1; tile <= 40; ++tile) {
            for (int length = 1; length <= 90; ++length) {
                int covered = 0;
                for (const TileSpan& span : cut_side(length, tile, halo, 0)) {
                    const int end = span.start + span.length;
                    ASSERT_EQ(span.keep, covered);
                    ASSERT_GT(span.keep_length, 0);
                    ASSERT_GE(span.start, 0);
                    ASSERT_LE(end, length);
                    ASSERT_LE(span.length, tile);
                    ASSERT_TRUE(span.start == 0 || span.keep - span.start >= halo);
                    ASSERT_TRUE(end == length || end - (span.keep + span.keep_length) >= halo);
                    covered += span.keep_length;
                }
                ASSERT_EQ(covered, length) << "length " << length << " tile " << tile << " halo " << halo;
            }
        }
    }
}

TEST(CutSide, spans_begin_and_end_at_multiples_of_the_alignment) {
    for (const int alignment : {2, 4, 6}) {
        for (int halo = 0; halo <= 3 * alignment; halo += alignment) {
            for (int tile = 2 * halo + alignment; tile <= 60; ++tile) {
                for (int length = alignment; length <= 120; length += alignment) {
                    int covered = 0;
                    for (const TileSpan& span : cut_side(length, tile, halo, 0, alignment)) {
                        ASSERT_EQ(span.start % alignment, 0);
                        ASSERT_EQ(span.length % alignment, 0);
                        ASSERT_LE(span.length, tile);
                        ASSERT_LE(span.start + span.length, length);
                        ASSERT_TRUE(span.start == 0 || span.keep - span.start >= halo);
                        ASSERT_EQ(span.keep, covered);
                        covered += span.keep_length;
                    }
                    ASSERT_EQ(covered, length) << "length " << length << " tile " << tile << " halo " << halo;
                }
            }
        }
    }
}

TEST(CutSide, all_spans_have_one_length) {
    const auto spans = cut_side(1080, 256, 19, 0);
    for (const TileSpan& span : spans) {
        EXPECT_EQ(span.length, spans.front().length);
    }
    EXPECT_EQ(spans.size(), 5U);
}

TEST(CutTiles, a_frame_that_fits_is_one_tile) {
    const auto tiles = cut_tiles({320, 180}, {{320, 180}, 19, 0});
    ASSERT_EQ(tiles.size(), 1U);
    EXPECT_EQ(tiles[0].x.keep_length, 320);
    EXPECT_EQ(tiles[0].y.keep_length, 180);
}

TEST(CutTiles, a_tile_inside_its_own_halo_is_refused) {
    EXPECT_THROW((void)cut_tiles({320, 180}, {{38, 38}, 19, 0}), Error);
}

}   // namespace
}   // namespace millstream
