#include "media/turn.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace millstream {
namespace {

// In quarters of the distance between two chroma samples' luma neighbours: 0 = on the first one, 1 = between, 2 = on
// the second one.
struct Place {
    int x;
    int y;
};

constexpr std::array<std::pair<ChromaLocation, Place>, 6> kPlaces{{{ChromaLocation::left, {0, 1}},
                                                                   {ChromaLocation::center, {1, 1}},
                                                                   {ChromaLocation::top_left, {0, 0}},
                                                                   {ChromaLocation::top, {1, 0}},
                                                                   {ChromaLocation::bottom_left, {0, 2}},
                                                                   {ChromaLocation::bottom, {1, 2}}}};

// The source's column and row of a place in the turned picture: the matrix of a turn is undone by its transpose.
class Inverse {
public:
    Inverse(const Orientation& o, int source_width, int source_height)
        : o_(o), x_offset_(o.a + o.b < 0 ? source_width - 1 : 0), y_offset_(o.c + o.d < 0 ? source_height - 1 : 0) {}
    [[nodiscard]] int x(int column, int row) const { return o_.a * column + o_.b * row + x_offset_; }
    [[nodiscard]] int y(int column, int row) const { return o_.c * column + o_.d * row + y_offset_; }

private:
    Orientation o_;
    int x_offset_;
    int y_offset_;
};

// In squares that stay in the cache: one side is always read or written across the rows.
template <class Sample>
void turn_plane(const Plane& from, Size source, const Plane& to, Size target, const Orientation& orientation) {
    constexpr int kSquare = 32;
    const Inverse inverse(orientation, source.width, source.height);
    for (int top = 0; top < target.height; top += kSquare) {
        for (int left = 0; left < target.width; left += kSquare) {
            for (int row = top; row < std::min(top + kSquare, target.height); ++row) {
                auto* line = reinterpret_cast<Sample*>(to.data + row * to.stride);
                for (int column = left; column < std::min(left + kSquare, target.width); ++column) {
                    const std::byte* source_line = from.data + inverse.y(column, row) * from.stride;
                    line[column] = reinterpret_cast<const Sample*>(source_line)[inverse.x(column, row)];
                }
            }
        }
    }
}

}   // namespace

PixelFormat turned(PixelFormat format, const Orientation& orientation) {
    if (orientation.swaps_sides()) {
        std::swap(format.chroma_shift_x, format.chroma_shift_y);
    }
    return format;
}

Size turned(Size size, const Orientation& orientation) {
    return orientation.swaps_sides() ? Size{size.height, size.width} : size;
}

Rational turned(Rational sample_aspect, const Orientation& orientation) {
    const bool known = sample_aspect.num > 0 && sample_aspect.den > 0;
    return orientation.swaps_sides() && known ? Rational{sample_aspect.den, sample_aspect.num} : sample_aspect;
}

ChromaLocation turned(ChromaLocation location, const Orientation& orientation) {
    const auto* found =
        std::find_if(kPlaces.begin(), kPlaces.end(), [&](const auto& place) { return place.first == location; });
    if (found == kPlaces.end()) {
        return location;
    }
    const Orientation& o = orientation;
    const auto [x, y] = found->second;
    // About the middle, which is 1.
    Place place{o.a * (x - 1) + o.c * (y - 1) + 1, o.b * (x - 1) + o.d * (y - 1) + 1};
    place.x = std::min(place.x, 1);
    const auto* turned_to = std::find_if(kPlaces.begin(), kPlaces.end(), [&](const auto& candidate) {
        return candidate.second.x == place.x && candidate.second.y == place.y;
    });
    return turned_to == kPlaces.end() ? ChromaLocation::center : turned_to->first;
}

Picture turn(const Picture& picture, const Orientation& orientation, PicturePool& pool) {
    Picture result = pool.take();
    result.colour = picture.colour;
    result.pts = picture.pts;
    result.duration = picture.duration;
    result.key_frame = picture.key_frame;
    for (int plane = 0; plane < picture.format.planes(); ++plane) {
        const auto index = static_cast<std::size_t>(plane);
        const Size from{picture.format.plane_width(plane, picture.width),
                        picture.format.plane_height(plane, picture.height)};
        const Size to{result.format.plane_width(plane, result.width), result.format.plane_height(plane, result.height)};
        if (picture.format.bytes_per_sample() == 1) {
            turn_plane<std::uint8_t>(picture.planes[index], from, result.planes[index], to, orientation);
        } else {
            turn_plane<std::uint16_t>(picture.planes[index], from, result.planes[index], to, orientation);
        }
    }
    return result;
}

}   // namespace millstream
