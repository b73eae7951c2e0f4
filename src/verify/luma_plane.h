// The brightness of a picture as numbers, at the size two pictures are compared at.
#pragma once

#include <vector>

#include "millstream/options.h"
#include "picture/picture.h"

namespace millstream {

/// Luma, 0 = black, 1 = white of the picture's range; not clamped. Rows without padding.
struct LumaPlane {
    int width = 0;
    int height = 0;
    std::vector<float> samples;
    [[nodiscard]] const float* row(int y) const {
        return samples.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
    [[nodiscard]] float* row(int y) {
        return samples.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
};

/// Which samples of a line, with which weights, make one sample of a shorter line: the area each covers.
struct AreaTap {
    int first = 0;
    std::vector<float> weights;   ///< sum 1
};
std::vector<AreaTap> area_taps(int from, int to);   ///< 1 <= to <= from

/// Luma of pictures of one format, colour and size, brought down to `size` by area averaging.
class LumaReader {
public:
    /// `colour` resolved (resolve_colour). `size`: at most the picture's in both directions.
    LumaReader(const PixelFormat& format, const Colour& colour, Size picture, Size size);
    /// Reuses the memory of `plane`. One thread at a time.
    void read(const Picture& picture, LumaPlane& plane);

private:
    void read_row(const Picture& picture, int y);
    template <class Sample>
    void convert_row(const Picture& picture, int y);

    PixelFormat format_;
    Size picture_;
    Size size_;
    float black_ = 0;
    float scale_ = 1;   // to 0..1
    float red_ = 0;     // shares in the luma of an rgb picture
    float blue_ = 0;
    std::vector<AreaTap> columns_;
    std::vector<AreaTap> rows_;
    std::vector<float> line_;   // one row of the picture
    std::vector<float> sum_;    // weighted rows of the picture
};

/// A plane brought down to `size` the same way.
LumaPlane shrink(const LumaPlane& plane, Size size);

/// Mean of each colour plane in steps of 8 bit (0..255 of the nominal scale, whatever the depth; chroma around 128).
std::vector<double> plane_means(const Picture& picture);

}   // namespace millstream
