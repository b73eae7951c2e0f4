// A frame cut into square blocks, and rectangles of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "millstream/options.h"

namespace millstream {

/// Side of a block in input pixels; those at the right and lower edges may be cut short.
inline constexpr int kBlock = 16;

/// A value a block, row by row.
template <class T>
struct BlockGrid {
    int columns = 0;
    int rows = 0;
    std::vector<T> values;

    BlockGrid() = default;
    BlockGrid(Size frame, T value)
        : columns((frame.width + kBlock - 1) / kBlock),
          rows((frame.height + kBlock - 1) / kBlock),
          values(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows), value) {}

    [[nodiscard]] T& at(int column, int row) { return values[index(column, row)]; }
    [[nodiscard]] const T& at(int column, int row) const { return values[index(column, row)]; }

private:
    [[nodiscard]] std::size_t index(int column, int row) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
    }
};

/// Half-open, in whatever unit is said.
struct Rectangle {
    int left = 0;
    int top = 0;
    int right = 0;
    int bottom = 0;

    [[nodiscard]] int width() const { return right - left; }
    [[nodiscard]] int height() const { return bottom - top; }
    [[nodiscard]] std::int64_t area() const { return std::int64_t{width()} * height(); }
    friend bool operator==(const Rectangle&, const Rectangle&) = default;
};

/// How many cells of a grid are set within any rectangle of it, from sums over everything above and to the left.
class CellCounts {
public:
    /// `cells`: row by row, 0 = not set; read once.
    CellCounts(int columns, std::span<const std::uint8_t> cells);

    /// `r`: in cells; what lies outside of the grid counts for nothing.
    [[nodiscard]] int in(const Rectangle& r) const {
        const int left = std::clamp(r.left, 0, columns_);
        const int right = std::clamp(r.right, 0, columns_);
        const int top = std::clamp(r.top, 0, rows_);
        const int bottom = std::clamp(r.bottom, 0, rows_);
        return at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top);
    }

private:
    [[nodiscard]] int at(int column, int row) const { return sums_[index(column, row)]; }
    [[nodiscard]] std::size_t index(int column, int row) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_ + 1) +
               static_cast<std::size_t>(column);
    }

    int columns_;
    int rows_;
    std::vector<int> sums_;
};

/// `blocks` (in blocks) in pixels of `frame`, with `around` pixels on every side as far as the frame goes.
inline Rectangle in_pixels(const Rectangle& blocks, Size frame, int around) {
    return {std::max(blocks.left * kBlock - around, 0), std::max(blocks.top * kBlock - around, 0),
            std::min(blocks.right * kBlock + around, frame.width),
            std::min(blocks.bottom * kBlock + around, frame.height)};
}

/// `pixels` of the output.
inline Rectangle enlarged(const Rectangle& pixels, std::int64_t scale) {
    const int k = static_cast<int>(scale);
    return {pixels.left * k, pixels.top * k, pixels.right * k, pixels.bottom * k};
}

/// What running a network on rectangles costs, in input pixels.
struct RectangleCost {
    Size frame;
    int halo = 0;            ///< pixels computed around each
    std::int64_t each = 0;   ///< what starting a request costs

    [[nodiscard]] std::int64_t of(const Rectangle& blocks) const {
        return in_pixels(blocks, frame, halo).area() + each;
    }
};

/// Rectangles, in blocks, none over another, that cover every block that is `needed`, and others where that costs less:
/// Note [Cutting]. The result depends on nothing but the arguments.
std::vector<Rectangle> cover(const BlockGrid<std::uint8_t>& needed, const RectangleCost& cost);

}   // namespace millstream
