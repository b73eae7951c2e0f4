#include "frame/packed.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace millstream {
namespace {

// 2x1 pixels: the first (0.5, 0, 1), the second beyond both ends and (almost) on a rounding edge.
at::Tensor two_pixels() {
    at::Tensor tensor = at::zeros({3, 1, 2}, at::kFloat);
    const std::array<float, 6> values{0.5F, -0.25F, 0.0F, 1.5F, 1.0F, 100.49F / 255};
    std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
    return tensor;
}

TEST(packed, values_are_clamped_rounded_and_put_in_the_order_asked_for) {
    std::vector<std::uint8_t> bytes(6);
    pack(two_pixels(), {bytes.data(), 6, true});
    EXPECT_EQ(bytes, (std::vector<std::uint8_t>{255, 0, 128, 100, 255, 0}));
    pack(two_pixels(), {bytes.data(), 6, false});
    EXPECT_EQ(bytes, (std::vector<std::uint8_t>{128, 0, 255, 0, 255, 100}));
}

TEST(packed, every_byte_survives_there_and_back_in_padded_rows) {
    constexpr int kWidth = 85;
    constexpr std::ptrdiff_t kRow = 3 * kWidth + 13;
    std::vector<std::uint8_t> source(2 * kRow, 77);
    for (std::size_t i = 0; i < source.size(); ++i) {
        source[i] = static_cast<std::uint8_t>(i * 31);
    }
    for (const bool bgr : {true, false}) {
        at::Tensor tensor = at::empty({3, 2, kWidth}, at::kFloat);
        unpack({source.data(), kRow, bgr}, tensor);
        EXPECT_EQ(tensor[bgr ? 2 : 0][1][4].item<float>(), static_cast<float>(source[kRow + 12]) / 255);
        std::vector<std::uint8_t> back(source.size(), 77);
        pack(tensor, {back.data(), kRow, bgr});
        for (std::size_t row = 0; row < 2; ++row) {
            const auto begin = static_cast<std::ptrdiff_t>(row) * kRow;
            EXPECT_TRUE(std::equal(source.begin() + begin, source.begin() + begin + 3 * kWidth, back.begin() + begin));
            EXPECT_EQ(back[static_cast<std::size_t>(begin) + 3 * kWidth], 77);   // padding is nobody's
        }
    }
}

}   // namespace
}   // namespace millstream
