#include "verify/luma_plane.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace millstream {
namespace {

template <class Sample>
const Sample* row_of(const Plane& plane, int y) {
    return reinterpret_cast<const Sample*>(plane.data + plane.stride * y);
}

void add_weighted(std::vector<float>& sum, const float* row, float weight) {
    for (std::size_t x = 0; x < sum.size(); ++x) {
        sum[x] += weight * row[x];
    }
}

void average_columns(const std::vector<float>& line, const std::vector<AreaTap>& taps, float* out) {
    for (std::size_t x = 0; x < taps.size(); ++x) {
        const float* in = line.data() + taps[x].first;
        float sum = 0;
        for (std::size_t i = 0; i < taps[x].weights.size(); ++i) {
            sum += taps[x].weights[i] * in[i];
        }
        out[x] = sum;
    }
}

// Shares of red and blue in luma: H.273 table 4 (MatrixCoefficients), BT.601 where it is none of the others.
struct LumaShares {
    float red;
    float blue;
};
LumaShares luma_shares(int matrix) {
    switch (matrix) {
        case 0:
        case 1:
            return {0.2126F, 0.0722F};
        case 9:
        case 10:
            return {0.2627F, 0.0593F};
        default:
            return {0.299F, 0.114F};
    }
}

template <class Sample>
double plane_mean(const Picture& picture, int plane) {
    const int width = picture.format.plane_width(plane, picture.width);
    const int height = picture.format.plane_height(plane, picture.height);
    std::uint64_t sum = 0;
    for (int y = 0; y < height; ++y) {
        const Sample* row = row_of<Sample>(picture.planes[static_cast<std::size_t>(plane)], y);
        std::uint64_t of_row = 0;
        for (int x = 0; x < width; ++x) {
            of_row += row[x];
        }
        sum += of_row;
    }
    const double samples = static_cast<double>(width) * height;
    return static_cast<double>(sum) / samples / static_cast<double>(1 << (picture.format.depth - 8));
}

}   // namespace

std::vector<AreaTap> area_taps(int from, int to) {
    std::vector<AreaTap> taps;
    const double step = static_cast<double>(from) / to;
    for (int i = 0; i < to; ++i) {
        const double begin = i * step;
        const double end = std::min<double>((i + 1) * step, from);
        AreaTap tap;
        tap.first = std::min(static_cast<int>(begin + 1e-9), from - 1);
        for (int at = tap.first; at < end - 1e-9 && at < from; ++at) {
            const double covered = std::min<double>(at + 1, end) - std::max<double>(at, begin);
            tap.weights.push_back(static_cast<float>(covered / (end - begin)));
        }
        taps.push_back(std::move(tap));
    }
    return taps;
}

LumaReader::LumaReader(const PixelFormat& format, const Colour& colour, Size picture, Size size)
    : format_(format),
      picture_(picture),
      size_(size),
      columns_(area_taps(picture.width, size.width)),
      rows_(area_taps(picture.height, size.height)),
      line_(static_cast<std::size_t>(picture.width)),
      sum_(static_cast<std::size_t>(picture.width)) {
    // H.273 (20) to (25): limited range spans 16..235 of 8 bit.
    const auto step = static_cast<float>(1 << (format.depth - 8));
    const auto peak = static_cast<float>((1 << format.depth) - 1);
    black_ = colour.full_range ? 0 : 16 * step;
    scale_ = colour.full_range ? 1 / peak : 1 / (219 * step);
    const LumaShares shares = luma_shares(colour.matrix);
    red_ = shares.red;
    blue_ = shares.blue;
}

template <class Sample>
void LumaReader::convert_row(const Picture& picture, int y) {
    const Sample* first = row_of<Sample>(picture.planes[0], y);
    const auto width = static_cast<std::size_t>(picture_.width);
    if (format_.family != ColourFamily::rgb) {
        for (std::size_t x = 0; x < width; ++x) {
            line_[x] = (static_cast<float>(first[x]) - black_) * scale_;
        }
        return;
    }
    const Sample* green = row_of<Sample>(picture.planes[1], y);
    const Sample* blue = row_of<Sample>(picture.planes[2], y);
    for (std::size_t x = 0; x < width; ++x) {
        const float luma = red_ * static_cast<float>(first[x]) + (1 - red_ - blue_) * static_cast<float>(green[x]) +
                           blue_ * static_cast<float>(blue[x]);
        line_[x] = (luma - black_) * scale_;
    }
}

void LumaReader::read_row(const Picture& picture, int y) {
    if (format_.bytes_per_sample() == 1) {
        convert_row<std::uint8_t>(picture, y);
    } else {
        convert_row<std::uint16_t>(picture, y);
    }
}

// Rows first: adding whole rows is the larger part of the work, and the compiler makes vectors of it.
void LumaReader::read(const Picture& picture, LumaPlane& plane) {
    plane.width = size_.width;
    plane.height = size_.height;
    plane.samples.resize(static_cast<std::size_t>(size_.width) * static_cast<std::size_t>(size_.height));
    const bool same_size = size_ == picture_;
    for (int y = 0; y < size_.height; ++y) {
        if (same_size) {
            read_row(picture, y);
            std::copy(line_.begin(), line_.end(), plane.row(y));
            continue;
        }
        const AreaTap& tap = rows_[static_cast<std::size_t>(y)];
        std::fill(sum_.begin(), sum_.end(), 0.0F);
        for (std::size_t i = 0; i < tap.weights.size(); ++i) {
            read_row(picture, tap.first + static_cast<int>(i));
            add_weighted(sum_, line_.data(), tap.weights[i]);
        }
        average_columns(sum_, columns_, plane.row(y));
    }
}

LumaPlane shrink(const LumaPlane& plane, Size size) {
    LumaPlane small{size.width, size.height, {}};
    small.samples.resize(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height));
    const std::vector<AreaTap> columns = area_taps(plane.width, size.width);
    const std::vector<AreaTap> rows = area_taps(plane.height, size.height);
    std::vector<float> sum(static_cast<std::size_t>(plane.width));
    for (int y = 0; y < size.height; ++y) {
        const AreaTap& tap = rows[static_cast<std::size_t>(y)];
        std::fill(sum.begin(), sum.end(), 0.0F);
        for (std::size_t i = 0; i < tap.weights.size(); ++i) {
            add_weighted(sum, plane.row(tap.first + static_cast<int>(i)), tap.weights[i]);
        }
        average_columns(sum, columns, small.row(y));
    }
    return small;
}

std::vector<double> plane_means(const Picture& picture) {
    std::vector<double> means;
    means.reserve(static_cast<std::size_t>(picture.format.colour_planes()));
    for (int plane = 0; plane < picture.format.colour_planes(); ++plane) {
        means.push_back(picture.format.bytes_per_sample() == 1 ? plane_mean<std::uint8_t>(picture, plane)
                                                               : plane_mean<std::uint16_t>(picture, plane));
    }
    return means;
}

}   // namespace millstream
