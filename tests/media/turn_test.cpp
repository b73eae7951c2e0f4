// Turning pictures: every sample goes where the display matrix says, and nothing else changes.
#include "media/turn.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace millstream {
namespace {

constexpr Orientation kClockwise{0, 1, -1, 0};
constexpr Orientation kCounterClockwise{0, -1, 1, 0};
constexpr Orientation kUpsideDown{-1, 0, 0, -1};
constexpr Orientation kMirrored{-1, 0, 0, 1};

std::uint8_t& sample(const Picture& picture, int plane, int x, int y) {
    const Plane& p = picture.planes[static_cast<std::size_t>(plane)];
    return *reinterpret_cast<std::uint8_t*>(p.data + y * p.stride + x);
}

Picture numbered(const PixelFormat& format, int width, int height) {
    Picture picture = PicturePool(format, width, height).take();
    for (int plane = 0; plane < format.planes(); ++plane) {
        for (int y = 0; y < format.plane_height(plane, height); ++y) {
            for (int x = 0; x < format.plane_width(plane, width); ++x) {
                sample(picture, plane, x, y) = static_cast<std::uint8_t>(plane * 80 + y * 13 + x);
            }
        }
    }
    return picture;
}

Picture turned_picture(const Picture& picture, const Orientation& orientation) {
    const Size size = turned(Size{picture.width, picture.height}, orientation);
    PicturePool pool(turned(picture.format, orientation), size.width, size.height);
    return turn(picture, orientation, pool);
}

TEST(Turn, moves_every_sample_of_every_plane) {
    const PixelFormat format{ColourFamily::yuv, 8, 1, 0, false};   // 4:2:2 becomes 4:4:0
    const Picture picture = numbered(format, 6, 5);
    const Picture clockwise = turned_picture(picture, kClockwise);
    EXPECT_EQ(clockwise.width, 5);
    EXPECT_EQ(clockwise.height, 6);
    EXPECT_EQ(clockwise.format.chroma_shift_y, 1);
    EXPECT_EQ(sample(clockwise, 0, 4, 0), sample(picture, 0, 0, 0)) << "top left goes to the top right";
    EXPECT_EQ(sample(clockwise, 0, 0, 0), sample(picture, 0, 0, 4));
    EXPECT_EQ(sample(clockwise, 1, 0, 2), sample(picture, 1, 2, 4));
    const Picture mirrored = turned_picture(picture, kMirrored);
    EXPECT_EQ(sample(mirrored, 0, 0, 1), sample(picture, 0, 5, 1));
    const Picture upside_down = turned_picture(picture, kUpsideDown);
    EXPECT_EQ(sample(upside_down, 2, 0, 0), sample(picture, 2, 2, 4));
}

TEST(Turn, there_and_back_gives_the_picture) {
    const PixelFormat format;   // 4:2:0, odd sizes
    const Picture picture = numbered(format, 7, 5);
    const Picture back = turned_picture(turned_picture(picture, kClockwise), kCounterClockwise);
    ASSERT_EQ(back.width, 7);
    for (int plane = 0; plane < 3; ++plane) {
        for (int y = 0; y < format.plane_height(plane, 5); ++y) {
            for (int x = 0; x < format.plane_width(plane, 7); ++x) {
                EXPECT_EQ(sample(back, plane, x, y), sample(picture, plane, x, y)) << plane << " " << x << " " << y;
            }
        }
    }
}

TEST(Turn, turns_what_is_known_of_the_picture_too) {
    EXPECT_EQ(turned(Rational{4, 3}, kClockwise), (Rational{3, 4}));
    EXPECT_EQ(turned(Rational{0, 1}, kClockwise), (Rational{0, 1}));
    EXPECT_EQ(turned(ChromaLocation::left, kClockwise), ChromaLocation::top);
    EXPECT_EQ(turned(ChromaLocation::left, kUpsideDown), ChromaLocation::center) << "nothing says right";
    EXPECT_EQ(turned(ChromaLocation::unspecified, kClockwise), ChromaLocation::unspecified);
}

}   // namespace
}   // namespace millstream
