#include "temporal/sliding_window.h"

#include <gtest/gtest.h>

namespace millstream {
namespace {

// R4.1, R4.3: history is a window in memory that drops its oldest entry.
TEST(SlidingWindow, drops_the_oldest_beyond_its_frames) {
    SlidingWindow<int> window(3, 1000);
    for (int i = 0; i < 10; ++i) {
        window.push(i, 1);
    }
    ASSERT_EQ(window.size(), 3U);
    EXPECT_EQ(window.bytes(), 3U);
    EXPECT_EQ(window.at(0), 9);
    EXPECT_EQ(window.at(2), 7);
}

TEST(SlidingWindow, drops_as_many_of_the_oldest_as_a_large_entry_needs) {
    SlidingWindow<int> window(10, 100);
    for (int i = 0; i < 4; ++i) {
        window.push(i, 25);
    }
    EXPECT_EQ(window.size(), 4U);
    window.push(4, 60);
    ASSERT_EQ(window.size(), 2U);
    EXPECT_EQ(window.bytes(), 85U);
    EXPECT_EQ(window.at(1), 3);
}

TEST(SlidingWindow, an_entry_larger_than_the_window_is_not_kept) {
    SlidingWindow<int> window(10, 100);
    window.push(1, 50);
    window.push(2, 101);
    EXPECT_TRUE(window.empty());
    EXPECT_EQ(window.bytes(), 0U);
    window.push(3, 100);
    EXPECT_EQ(window.at(0), 3);
}

TEST(SlidingWindow, is_empty_after_clear) {
    SlidingWindow<int> window(2, 100);
    window.push(1, 5);
    window.clear();
    EXPECT_TRUE(window.empty());
    EXPECT_EQ(window.bytes(), 0U);
}

}   // namespace
}   // namespace millstream
