// Frames that benchmarks are given as raw RGB on their standard input, and words they share.
#pragma once

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <cstdio>
#include <string>
#include <vector>

#include "millstream/options.h"

namespace millstream {

inline constexpr double kWhite = 255;

/// All that are left in `file`: [3,h,w] float32, 0..1.
inline std::vector<at::Tensor> raw_frames(std::FILE* file, Size size) {
    std::vector<at::Tensor> frames;
    std::vector<unsigned char> bytes(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3);
    while (std::fread(bytes.data(), 1, bytes.size(), file) == bytes.size()) {
        const at::Tensor packed = at::from_blob(bytes.data(), {size.height, size.width, 3}, at::kByte);
        frames.push_back((packed.to(at::kFloat) / kWhite).permute({2, 0, 1}).contiguous());
    }
    return frames;
}

inline Reuse reuse_called(const std::string& name) {
    return name == "exact" ? Reuse::exact : name == "fast" ? Reuse::fast : Reuse::safe;
}

}   // namespace millstream
