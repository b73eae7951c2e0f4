// Pictures to convert: noise, smooth patterns, and how far two of them are apart.
#pragma once

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "frame/convert.h"
#include "picture/picture.h"

namespace millstream {

inline std::byte* address(const Picture& picture, int plane, int x, int y) {
    const Plane& rows = picture.planes[static_cast<std::size_t>(plane)];
    return rows.data + y * rows.stride + x * picture.format.bytes_per_sample();
}

inline int sample(const Picture& picture, int plane, int x, int y) {
    const std::byte* at = address(picture, plane, x, y);
    return picture.format.bytes_per_sample() == 1 ? static_cast<int>(*reinterpret_cast<const std::uint8_t*>(at))
                                                  : static_cast<int>(*reinterpret_cast<const std::uint16_t*>(at));
}

inline void set_sample(const Picture& picture, int plane, int x, int y, int value) {
    std::byte* at = address(picture, plane, x, y);
    if (picture.format.bytes_per_sample() == 1) {
        *reinterpret_cast<std::uint8_t*>(at) = static_cast<std::uint8_t>(value);
    } else {
        *reinterpret_cast<std::uint16_t*>(at) = static_cast<std::uint16_t>(value);
    }
}

inline void for_each_sample(const Picture& picture, int plane, const std::function<void(int, int)>& visit) {
    for (int y = 0; y < picture.format.plane_height(plane, picture.height); ++y) {
        for (int x = 0; x < picture.format.plane_width(plane, picture.width); ++x) {
            visit(x, y);
        }
    }
}

/// `picture` as a hardware decoder leaves it (NV12, P010, P016), with gaps behind the rows, in a memory of its own that
/// is overwritten when the last copy of the picture goes.
inline Picture as_decoded_on_device(const Picture& picture) {
    constexpr std::ptrdiff_t kGap = 14;
    constexpr int kBits = 16;
    const int bytes = picture.format.bytes_per_sample();
    const int empty_bits = bytes == 1 ? 0 : kBits - picture.format.depth;
    const std::ptrdiff_t stride = std::ptrdiff_t{2} * picture.format.plane_width(1, picture.width) * bytes + kGap;
    const std::ptrdiff_t rows = picture.height + picture.format.plane_height(1, picture.height);
    auto* const memory = new std::vector<std::byte>(static_cast<std::size_t>(stride * rows));
    Picture there = picture;
    there.owner = std::shared_ptr<std::vector<std::byte>>(memory, [](std::vector<std::byte>* own) {
        std::fill(own->begin(), own->end(), std::byte{0x55});
        delete own;
    });
    there.on_device = DevicePlanes{.device = 0, .chroma_step = 2, .empty_bits = empty_bits};
    std::byte* const chroma = memory->data() + picture.height * stride;
    there.planes = {{{memory->data(), stride}, {chroma, stride}, {chroma + bytes, stride}}};
    for (int plane = 0; plane < 3; ++plane) {
        for_each_sample(picture, plane, [&](int x, int y) {
            const int step = plane == 0 ? 1 : 2;
            set_sample(there, plane, x * step, y, sample(picture, plane, x, y) << empty_bits);
        });
    }
    return there;
}

inline Picture blank(const PixelFormat& format, int width, int height) {
    PicturePool pool(format, width, height);
    return pool.take();
}

/// Every code value of `depth` bits, independently: most of such colours are outside RGB's gamut.
inline void fill_noise(const Picture& picture, int plane, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> code(0, (1 << picture.format.depth) - 1);
    for_each_sample(picture, plane, [&](int x, int y) { set_sample(picture, plane, x, y, code(random)); });
}

/// Waves of 27 samples and longer across a third of the code range, as natural chroma is.
inline void fill_smooth(const Picture& picture, int plane) {
    const double unit = static_cast<double>(1 << picture.format.depth);
    for_each_sample(picture, plane, [&](int x, int y) {
        const double wave = std::sin(x * 0.23 + plane) * std::cos(y * 0.19) + 0.5 * std::sin((x + 2 * y) * 0.08);
        set_sample(picture, plane, x, y, static_cast<int>(std::lround(unit * (0.5 + 0.11 * wave))));
    });
}

struct Difference {
    int largest = 0;
    double rms = 0;
};

inline Difference difference(const Picture& a, const Picture& b, int plane) {
    Difference result;
    double squares = 0;
    int count = 0;
    for_each_sample(a, plane, [&](int x, int y) {
        const int error = std::abs(sample(a, plane, x, y) - sample(b, plane, x, y));
        result.largest = std::max(result.largest, error);
        squares += error * error;
        ++count;
    });
    result.rms = std::sqrt(squares / count);
    return result;
}

inline at::Tensor empty_tensor(int width, int height) {
    return at::empty({3, height, width}, at::TensorOptions().dtype(at::kFloat));
}

inline float value(const at::Tensor& tensor, int plane, int x, int y) {
    return tensor.const_data_ptr<float>()[(plane * tensor.size(1) + y) * tensor.size(2) + x];
}

/// What an identity network would give back.
inline Picture there_and_back(const Picture& picture, const Colour& colour) {
    at::Tensor tensor = empty_tensor(picture.width, picture.height);
    PictureToTensor(picture.format, colour, picture.width, picture.height).convert(picture, tensor);
    Picture back = blank(picture.format, picture.width, picture.height);
    TensorToPicture(picture.width, picture.height, picture.format, colour, picture.width, picture.height)
        .convert(tensor, back);
    return back;
}

}   // namespace millstream
