// Pixels as the CPU's own motion code keeps them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace millstream {

/// Some rows of an image of floats, addressed by their number in the image. Every row can be read and written kMargin
/// values beyond either end. Memory is kept when it is reset to other rows.
class ImageRows {
public:
    static constexpr int kMargin = 16;

    /// Rows [first, end), `width` values each; contents are what was there before.
    void reset(int first, int end, int width) {
        first_ = first;
        end_ = end;
        width_ = width;
        stride_ = static_cast<std::size_t>(width + 2 * kMargin);
        const std::size_t count = static_cast<std::size_t>(end - first) * stride_;
        if (values_.size() < count) {
            values_.resize(count);
        }
    }
    /// A whole image and kMargin rows more on either side.
    void reset_with_margin(int height, int width) { reset(-kMargin, height + kMargin, width); }

    [[nodiscard]] float* row(int y) { return values_.data() + offset(y); }
    [[nodiscard]] const float* row(int y) const { return values_.data() + offset(y); }
    [[nodiscard]] std::ptrdiff_t stride() const { return static_cast<std::ptrdiff_t>(stride_); }
    [[nodiscard]] int width() const { return width_; }
    /// Of an image with margin.
    [[nodiscard]] int height() const { return end_ - kMargin; }

    /// Repeats a row's outermost values `by` times on either side.
    void extend_row(int y, int by) {
        float* const values = row(y);
        std::fill(values - by, values, values[0]);
        std::fill(values + width_, values + width_ + by, values[width_ - 1]);
    }
    /// Fills the margin of an image on all sides.
    void extend() {
        for (int y = 0; y < height(); ++y) {
            extend_row(y, kMargin);
        }
        for (int i = 1; i <= kMargin; ++i) {
            std::copy_n(row(0) - kMargin, stride_, row(-i) - kMargin);
            std::copy_n(row(height() - 1) - kMargin, stride_, row(height() - 1 + i) - kMargin);
        }
    }
    void fill(float value) { std::fill(values_.begin(), values_.end(), value); }

private:
    [[nodiscard]] std::size_t offset(int y) const { return static_cast<std::size_t>(y - first_) * stride_ + kMargin; }

    std::vector<float> values_;
    int first_ = 0;
    int end_ = 0;
    int width_ = 0;
    std::size_t stride_ = 0;
};

/// A flow: x and y, in pixels.
struct FlowRows {
    ImageRows x;
    ImageRows y;
    void reset(int first, int end, int width) {
        x.reset(first, end, width);
        y.reset(first, end, width);
    }
    void extend_row(int row, int by) {
        x.extend_row(row, by);
        y.extend_row(row, by);
    }
};

}   // namespace millstream
