// A picture with what pictures have: gradients, texture, sharp edges, all brightnesses. The same on every machine.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace millstream {

/// Smooth noise of one cell size: random values on a lattice, interpolated.
class Lattice {
public:
    Lattice(int height, int width, int cell, std::uint32_t& state) : cell_(cell), width_(width / cell + 2) {
        for (int i = 0; i < width_ * (height / cell + 2); ++i) {
            state = state * 1664525U + 1013904223U;   // Numerical Recipes' generator: the same picture everywhere
            values_.push_back(static_cast<float>(state >> 8) / static_cast<float>(1 << 24) - 0.5F);
        }
    }
    [[nodiscard]] float at(int y, int x) const {
        const float fy = static_cast<float>(y % cell_) / static_cast<float>(cell_);
        const float fx = static_cast<float>(x % cell_) / static_cast<float>(cell_);
        const auto value = [&](int dy, int dx) {
            return values_[static_cast<std::size_t>((y / cell_ + dy) * width_ + x / cell_ + dx)];
        };
        return (1 - fy) * ((1 - fx) * value(0, 0) + fx * value(0, 1)) +
               fy * ((1 - fx) * value(1, 0) + fx * value(1, 1));
    }

private:
    int cell_;
    int width_;
    std::vector<float> values_;
};

/// [1,3,height,width] in 0..1.
inline at::Tensor test_picture(int height, int width) {
    constexpr std::array<int, 5> cells{32, 16, 8, 4, 2};
    std::uint32_t state = 1;
    at::Tensor picture = at::empty({1, 3, height, width}, at::kFloat);
    float* values = picture.mutable_data_ptr<float>();
    std::vector<Lattice> luma;
    std::vector<Lattice> chroma;
    for (const int cell : cells) {
        luma.emplace_back(height, width, cell, state);
    }
    for (int c = 0; c < 3; ++c) {
        chroma.emplace_back(height, width, cells[0], state);
    }
    for (int c = 0; c < 3; ++c) {
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                float value = 0.47F + 0.3F * chroma[static_cast<std::size_t>(c)].at(y, x);
                for (std::size_t i = 0; i < cells.size(); ++i) {
                    value += luma[i].at(y, x) * static_cast<float>(cells[i]) / 28.0F;
                }
                const bool edge = (x / 24 + y / 24) % 2 == 0;   // squares, so that there are sharp edges
                *values++ = std::clamp(value + (edge ? 0.08F : -0.08F), 0.0F, 1.0F);
            }
        }
    }
    return picture;
}

}   // namespace millstream
