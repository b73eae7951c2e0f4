#include "frame/packed.h"

#include <algorithm>
#include <array>

namespace millstream {
namespace {

// Where channel 0, 1 and 2 of the tensor (R, G, B) lie within a pixel.
constexpr std::array<std::size_t, 3> kRgb{0, 1, 2};
constexpr std::array<std::size_t, 3> kBgr{2, 1, 0};

}   // namespace

void pack(const at::Tensor& tensor, const PackedRows& target) {
    const auto& place = target.bgr ? kBgr : kRgb;
    const auto height = tensor.size(1);
    const auto width = static_cast<std::size_t>(tensor.size(2));
    const auto* planes = tensor.const_data_ptr<float>();
    for (std::int64_t y = 0; y < height; ++y) {
        std::uint8_t* const row = target.data + y * target.row;
        for (std::size_t c = 0; c < 3; ++c) {
            const float* const from = planes + static_cast<std::int64_t>(c) * tensor.stride(0) + y * tensor.stride(1);
            std::uint8_t* const to = row + place[c];
            for (std::size_t x = 0; x < width; ++x) {
                to[3 * x] = static_cast<std::uint8_t>(std::clamp(from[x], 0.0F, 1.0F) * 255.0F + 0.5F);
            }
        }
    }
}

void unpack(const PackedRows& source, at::Tensor& tensor) {
    const auto& place = source.bgr ? kBgr : kRgb;
    const auto height = tensor.size(1);
    const auto width = static_cast<std::size_t>(tensor.size(2));
    auto* planes = tensor.mutable_data_ptr<float>();
    for (std::int64_t y = 0; y < height; ++y) {
        const std::uint8_t* const row = source.data + y * source.row;
        for (std::size_t c = 0; c < 3; ++c) {
            float* const to = planes + static_cast<std::int64_t>(c) * tensor.stride(0) + y * tensor.stride(1);
            const std::uint8_t* const from = row + place[c];
            for (std::size_t x = 0; x < width; ++x) {
                to[x] = static_cast<float>(from[3 * x]) / 255.0F;
            }
        }
    }
}

}   // namespace millstream
