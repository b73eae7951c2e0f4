// Convolutions straight from their definition: slow, obviously right, to compare the executors with.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>

#include "model/network.h"

namespace millstream {

/// [out,in/groups,k,k] convolution with zero padding, straight from the definition.
inline at::Tensor plain_convolution(const Node& node, const at::Tensor& x) {
    const std::int64_t height = (x.size(2) + 2 * node.padding - node.kernel) / node.stride + 1;
    const std::int64_t width = (x.size(3) + 2 * node.padding - node.kernel) / node.stride + 1;
    const std::int64_t out = node.shape[0];
    const std::int64_t in = node.shape[1];
    at::Tensor y = at::empty({1, out, height, width}, at::kFloat);
    const auto from = x.accessor<float, 4>();
    auto to = y.accessor<float, 4>();
    for (std::int64_t o = 0; o < out; ++o) {
        const std::int64_t first = o / (out / node.groups) * in;
        for (std::int64_t v = 0; v < height; ++v) {
            for (std::int64_t u = 0; u < width; ++u) {
                double sum = static_cast<double>(node.bias[static_cast<std::size_t>(o)]);
                for (std::int64_t i = 0; i < in * node.kernel * node.kernel; ++i) {
                    const std::int64_t c = i / (node.kernel * node.kernel);
                    const std::int64_t row = v * node.stride - node.padding + i / node.kernel % node.kernel;
                    const std::int64_t column = u * node.stride - node.padding + i % node.kernel;
                    if (row >= 0 && row < x.size(2) && column >= 0 && column < x.size(3)) {
                        sum += static_cast<double>(
                            node.weights[static_cast<std::size_t>(o * in * node.kernel * node.kernel + i)] *
                            from[0][first + c][row][column]);
                    }
                }
                to[0][o][v][u] = static_cast<float>(sum);
            }
        }
    }
    return y;
}

/// Transposed convolution: every input pixel adds its kernel to the output.
inline at::Tensor plain_deconvolution(const Node& node, const at::Tensor& x) {
    const std::int64_t height = (x.size(2) - 1) * node.stride - 2 * node.padding + node.kernel;
    const std::int64_t width = (x.size(3) - 1) * node.stride - 2 * node.padding + node.kernel;
    const std::int64_t out = node.shape[0];
    const std::int64_t in = node.shape[1];
    at::Tensor y = at::empty({1, out, height, width}, at::kFloat);
    auto to = y.accessor<float, 4>();
    const auto from = x.accessor<float, 4>();
    for (std::int64_t o = 0; o < out; ++o) {
        y.select(1, o).fill_(node.bias[static_cast<std::size_t>(o)]);
        const std::int64_t first = o / (out / node.groups) * in;
        for (std::int64_t i = 0; i < in * node.kernel * node.kernel; ++i) {
            const std::int64_t c = i / (node.kernel * node.kernel);
            const float weight = node.weights[static_cast<std::size_t>(o * in * node.kernel * node.kernel + i)];
            for (std::int64_t v = 0; v < x.size(2); ++v) {
                for (std::int64_t u = 0; u < x.size(3); ++u) {
                    const std::int64_t row = v * node.stride - node.padding + i / node.kernel % node.kernel;
                    const std::int64_t column = u * node.stride - node.padding + i % node.kernel;
                    if (row >= 0 && row < height && column >= 0 && column < width) {
                        to[0][o][row][column] += weight * from[0][first + c][v][u];
                    }
                }
            }
        }
    }
    return y;
}

}   // namespace millstream
