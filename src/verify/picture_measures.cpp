#include "verify/picture_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace millstream {
namespace {

// Sums over 4x4 samples, of which windows of 8x8 are put together.
struct BlockSums {
    float a = 0;
    float b = 0;
    float squares = 0;   // of both
    float products = 0;
    BlockSums& operator+=(const BlockSums& other) {
        a += other.a;
        b += other.b;
        squares += other.squares;
        products += other.products;
        return *this;
    }
};

void sum_blocks(const LumaPlane& a, const LumaPlane& b, int block_row, std::vector<BlockSums>& sums) {
    for (std::size_t block = 0; block < sums.size(); ++block) {
        BlockSums sum;
        for (int y = 0; y < 4; ++y) {
            const float* of_a = a.row(block_row * 4 + y) + block * 4;
            const float* of_b = b.row(block_row * 4 + y) + block * 4;
            for (int x = 0; x < 4; ++x) {
                sum.a += of_a[x];
                sum.b += of_b[x];
                sum.squares += of_a[x] * of_a[x] + of_b[x] * of_b[x];
                sum.products += of_a[x] * of_b[x];
            }
        }
        sums[block] = sum;
    }
}

double window_similarity(const BlockSums& sum) {
    constexpr double kSamples = 64;
    constexpr double kC1 = 0.01 * 0.01;
    constexpr double kC2 = 0.03 * 0.03;
    const double mean_a = sum.a / kSamples;
    const double mean_b = sum.b / kSamples;
    const double variances = sum.squares / kSamples - mean_a * mean_a - mean_b * mean_b;
    const double covariance = sum.products / kSamples - mean_a * mean_b;
    return (2 * mean_a * mean_b + kC1) * (2 * covariance + kC2) /
           ((mean_a * mean_a + mean_b * mean_b + kC1) * (variances + kC2));
}

constexpr int kBins = 32;
std::array<double, kBins> histogram(const LumaPlane& plane) {
    std::array<double, kBins> bins{};
    for (const float sample : plane.samples) {
        const int bin = std::clamp(static_cast<int>(sample * kBins), 0, kBins - 1);
        bins[static_cast<std::size_t>(bin)] += 1.0 / static_cast<double>(plane.samples.size());
    }
    return bins;
}

// Sums of five neighbours of a line; the ends repeat.
void box_line(const std::vector<float>& in, std::vector<float>& out) {
    const auto size = static_cast<int>(in.size());
    const auto at = [&](int x) { return in[static_cast<std::size_t>(std::clamp(x, 0, size - 1))]; };
    for (int x = 0; x < size; ++x) {
        out[static_cast<std::size_t>(x)] = at(x - 2) + at(x - 1) + at(x) + at(x + 1) + at(x + 2);
    }
}

}   // namespace

double mean_squared_error(const LumaPlane& a, const LumaPlane& b) {
    double sum = 0;
    for (int y = 0; y < a.height; ++y) {
        const float* of_a = a.row(y);
        const float* of_b = b.row(y);
        float of_row = 0;
        for (int x = 0; x < a.width; ++x) {
            of_row += (of_a[x] - of_b[x]) * (of_a[x] - of_b[x]);
        }
        sum += of_row;
    }
    return sum / static_cast<double>(a.samples.size());
}

double psnr_db(double mse) {
    constexpr double kMost = 100;
    return mse <= 0 ? kMost : std::min(kMost, -10 * std::log10(mse));
}

double structural_similarity(const LumaPlane& a, const LumaPlane& b) {
    const int block_rows = a.height / 4;
    const auto blocks = static_cast<std::size_t>(a.width / 4);
    if (block_rows < 2 || blocks < 2) {
        return 1;
    }
    std::vector<BlockSums> above(blocks);
    std::vector<BlockSums> here(blocks);
    sum_blocks(a, b, 0, above);
    double sum = 0;
    for (int row = 1; row < block_rows; ++row) {
        sum_blocks(a, b, row, here);
        for (std::size_t block = 0; block + 1 < blocks; ++block) {
            BlockSums window = above[block];
            window += above[block + 1];
            window += here[block];
            window += here[block + 1];
            sum += window_similarity(window);
        }
        above.swap(here);
    }
    return sum / (static_cast<double>(block_rows - 1) * static_cast<double>(blocks - 1));
}

double detail_energy(const LumaPlane& plane) {
    const auto width = static_cast<std::size_t>(plane.width);
    std::vector<float> columns(width);
    std::vector<float> box(width);
    double sum = 0;
    for (int y = 0; y < plane.height; ++y) {
        std::fill(columns.begin(), columns.end(), 0.0F);
        for (int around = y - 2; around <= y + 2; ++around) {
            const float* row = plane.row(std::clamp(around, 0, plane.height - 1));
            for (std::size_t x = 0; x < width; ++x) {
                columns[x] += row[x];
            }
        }
        box_line(columns, box);
        const float* row = plane.row(y);
        float of_row = 0;
        for (std::size_t x = 0; x < width; ++x) {
            const float difference = row[x] - box[x] / 25;
            of_row += difference * difference;
        }
        sum += of_row;
    }
    return sum / static_cast<double>(plane.samples.size());
}

NeighbourFit neighbour_fit(const LumaPlane& result, const LumaPlane& own, const LumaPlane& neighbour) {
    NeighbourFit fit;
    double along = 0;
    double length = 0;
    for (std::size_t i = 0; i < own.samples.size(); ++i) {
        const float way = neighbour.samples[i] - own.samples[i];
        if (std::abs(way) > kMovement) {
            ++fit.moving;
            along += static_cast<double>(way) * static_cast<double>(result.samples[i] - own.samples[i]);
            length += static_cast<double>(way) * static_cast<double>(way);
        }
    }
    fit.share = length > 0 ? along / length : 0;
    return fit;
}

bool is_cut(const LumaPlane& before, const LumaPlane& after) {
    const Size pooled{std::max(1, before.width / 8), std::max(1, before.height / 8)};
    const LumaPlane a = shrink(before, pooled);
    const LumaPlane b = shrink(after, pooled);
    double absolute = 0;
    for (std::size_t i = 0; i < a.samples.size(); ++i) {
        absolute += std::abs(a.samples[i] - b.samples[i]);
    }
    const auto of_a = histogram(a);
    const auto of_b = histogram(b);
    double distance = 0;
    for (std::size_t i = 0; i < of_a.size(); ++i) {
        distance += std::abs(of_a[i] - of_b[i]);
    }
    return distance / 2 > 0.22 && absolute / static_cast<double>(a.samples.size()) > 0.10;
}

}   // namespace millstream
