#include "picture/picture.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <new>

namespace millstream {
namespace {

TEST(PixelFormat, counts_odd_chroma_sizes_up) {
    const PixelFormat yuv420{};
    EXPECT_EQ(yuv420.plane_width(1, 161), 81);
    EXPECT_EQ(yuv420.plane_height(2, 121), 61);
    EXPECT_EQ(yuv420.picture_bytes(161, 121), 161U * 121U + 2U * 81U * 61U);
}

TEST(PixelFormat, is_420_where_chroma_is_halved_both_ways) {
    EXPECT_TRUE(PixelFormat{}.is_420());
    EXPECT_TRUE((PixelFormat{.depth = 10, .alpha = true}).is_420());
    EXPECT_FALSE(PixelFormat{.chroma_shift_y = 0}.is_420());
    EXPECT_FALSE(PixelFormat{.chroma_shift_x = 2}.is_420());
    EXPECT_FALSE(PixelFormat{.family = ColourFamily::gray}.is_420());
}

TEST(ResolveColour, guesses_the_matrix_from_the_height_only_where_it_is_silent) {
    EXPECT_EQ(resolve_colour({}, {}, 480).matrix, 6);
    EXPECT_EQ(resolve_colour({}, {}, 720).matrix, 1);
    EXPECT_EQ(resolve_colour({.matrix = 9}, {}, 480).matrix, 9);
    EXPECT_EQ(resolve_colour({}, {.family = ColourFamily::rgb}, 480).matrix, 0);
}

TEST(PicturePool, reuses_a_buffer_when_the_last_copy_goes) {
    PicturePool pool({}, 100, 50);
    void* first = nullptr;
    {
        const Picture picture = pool.take();
        const Picture copy = picture;
        first = copy.planes[0].data;
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % kPlaneAlignment, 0U);
        EXPECT_EQ(pool.live(), 1);
    }
    EXPECT_EQ(pool.live(), 0);
    const Picture again = pool.take();
    EXPECT_EQ(again.planes[0].data, first);
    EXPECT_EQ(pool.allocated(), 1);
}

TEST(PicturePool, pictures_may_outlive_the_pool) {
    Picture picture;
    {
        PicturePool pool({}, 16, 16);
        picture = pool.take();
    }
    picture.planes[0].data[0] = std::byte{7};
    EXPECT_EQ(picture.planes[0].data[0], std::byte{7});
}

TEST(PicturePool, counts_nothing_when_memory_runs_out) {
#ifdef MILLSTREAM_SANITIZED
    GTEST_SKIP() << "the sanitizers' allocators end the process instead";
#endif
    PicturePool pool({}, 1 << 30, 1 << 30);
    EXPECT_THROW((void)pool.take(), std::bad_alloc);
    EXPECT_EQ(pool.live(), 0);
    EXPECT_EQ(pool.allocated(), 0);
}

}   // namespace
}   // namespace millstream
