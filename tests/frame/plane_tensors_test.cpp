// What a device computes must be what zimg computes in the host's memory.
#include "frame/plane_tensors.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <array>
#include <tuple>

#include "frame/convert.h"
#include "frame/pictures.h"

namespace millstream {
namespace {

constexpr int kWidth = 96;
constexpr int kHeight = 64;

using Case = std::tuple<PixelFormat, int, bool, ChromaLocation>;   // format, matrix, full range, location
class OnDevice : public testing::TestWithParam<Case> {
protected:
    const PixelFormat format_ = std::get<0>(GetParam());
    const Colour colour_{.matrix = format_.family == ColourFamily::rgb ? 0 : std::get<1>(GetParam()),
                         .full_range = std::get<2>(GetParam()),
                         .chroma_location = std::get<3>(GetParam())};

    // Luma of every code, chroma with edges in it.
    [[nodiscard]] Picture picture() const {
        const Picture made = blank(format_, kWidth, kHeight);
        for (int plane = 0; plane < format_.colour_planes(); ++plane) {
            if (plane == 0) {
                fill_noise(made, plane, 5);
            } else {
                fill_smooth(made, plane);
            }
        }
        return made;
    }
    [[nodiscard]] at::Tensor by_zimg(const Picture& made) const {
        at::Tensor tensor = empty_tensor(kWidth, kHeight);
        PictureToTensor(format_, colour_, kWidth, kHeight).convert(made, tensor);
        return tensor;
    }
};

TEST_P(OnDevice, r2_2_a_picture_becomes_the_same_tensor_within_a_code) {
    const Picture made = picture();
    const at::Tensor wanted = by_zimg(made);
    const at::Tensor got = PlanesToRgb(format_, colour_, kWidth, kHeight, at::kCPU).convert(plane_tensors(made));
    EXPECT_LT((got - wanted).abs().max().item<float>() * 255, 1.0F);
    EXPECT_LT((got - wanted).abs().mean().item<float>() * 255, 0.05F);
}

TEST_P(OnDevice, r2_3_a_tensor_becomes_the_same_picture_within_a_code) {
    const Picture made = picture();
    const at::Tensor tensor = by_zimg(made);
    Picture wanted = blank(format_, kWidth, kHeight);
    TensorToPicture(kWidth, kHeight, format_, colour_, kWidth, kHeight).convert(tensor, wanted);
    const std::vector<at::Tensor> got = RgbToPlanes(format_, colour_, kWidth, kHeight, at::kCPU).convert(tensor);
    const std::vector<at::Tensor> there = plane_tensors(wanted);
    ASSERT_EQ(got.size(), there.size());
    for (std::size_t plane = 0; plane < got.size(); ++plane) {
        EXPECT_EQ(got[plane].sizes(), there[plane].sizes());
        EXPECT_LE((got[plane].to(at::kInt) - there[plane].to(at::kInt)).abs().max().item<int>(), 1) << plane;
    }
}

std::string case_name(const testing::TestParamInfo<Case>& test) {
    const auto& [format, matrix, full_range, location] = test.param;
    return describe_format(format) + "_matrix_" + std::to_string(matrix) + (full_range ? "_full_" : "_limited_") +
           std::to_string(static_cast<int>(location));
}

constexpr PixelFormat k420{};
constexpr PixelFormat k420p10{.depth = 10};
constexpr PixelFormat k422p12{.depth = 12, .chroma_shift_y = 0};
constexpr PixelFormat k444p16{.depth = 16, .chroma_shift_x = 0, .chroma_shift_y = 0};
constexpr PixelFormat k411{.chroma_shift_x = 2, .chroma_shift_y = 0};
constexpr PixelFormat kRgb{.family = ColourFamily::rgb, .chroma_shift_x = 0, .chroma_shift_y = 0};
constexpr PixelFormat kGray{.family = ColourFamily::gray, .chroma_shift_x = 0, .chroma_shift_y = 0};

INSTANTIATE_TEST_SUITE_P(Sites, OnDevice,
                         testing::Combine(testing::Values(k420, k420p10), testing::Values(1), testing::Bool(),
                                          testing::Values(ChromaLocation::left, ChromaLocation::center,
                                                          ChromaLocation::top_left, ChromaLocation::bottom)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Formats, OnDevice,
                         testing::Combine(testing::Values(k422p12, k411, kRgb, kGray, k444p16), testing::Values(6),
                                          testing::Bool(), testing::Values(ChromaLocation::left)),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Matrices, OnDevice,
                         testing::Combine(testing::Values(k420), testing::Values(4, 5, 6, 7, 9), testing::Values(false),
                                          testing::Values(ChromaLocation::left)),
                         case_name);

TEST(OnAnyDevice, odd_sizes_and_gaps_between_rows_are_the_same_too) {
    const Colour colour{.matrix = 1, .chroma_location = ChromaLocation::left};
    const Picture made = blank(k420, 51, 37);
    fill_noise(made, 0, 5);
    fill_smooth(made, 1);
    fill_smooth(made, 2);
    at::Tensor wanted = empty_tensor(51, 37);
    PictureToTensor(k420, colour, 51, 37).convert(made, wanted);
    const at::Tensor got = PlanesToRgb(k420, colour, 51, 37, at::kCPU).convert(plane_tensors(made));
    EXPECT_LT((got - wanted).abs().max().item<float>() * 255, 1.0F);
}

TEST(OnAnyDevice, planes_as_hardware_decoders_leave_them_are_the_same_samples) {
    for (const int depth : {8, 10, 12, 16}) {
        const PixelFormat format{.depth = depth};
        const Picture made = blank(format, 51, 37);
        for (int plane = 0; plane < 3; ++plane) {
            fill_noise(made, plane, 5);
        }
        const Picture there = as_decoded_on_device(made);
        const std::vector<at::Tensor> wanted = plane_tensors(made);
        const std::vector<at::Tensor> raw = plane_tensors(there, at::kCPU);
        const std::vector<at::Tensor> got = without_empty_bits(raw, format, *there.on_device);
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t plane = 0; plane < got.size(); ++plane) {
            EXPECT_EQ(raw[plane].const_data_ptr(), there.planes[plane].data) << "views, not copies";
            EXPECT_TRUE(got[plane].equal(wanted[plane])) << depth << " bits, plane " << plane;
        }
        const std::vector<at::Tensor> back = with_empty_bits(wanted, *there.on_device);
        for (std::size_t plane = 0; plane < back.size(); ++plane) {
            EXPECT_TRUE(back[plane].equal(raw[plane])) << depth << " bits, plane " << plane << ", on the way back";
        }
    }
}

TEST(OnAnyDevice, tensors_keep_the_memory_of_a_picture_on_a_device) {
    Picture there = as_decoded_on_device(blank(k420, 51, 37));
    const std::weak_ptr<void> memory = there.owner;
    std::vector<at::Tensor> planes = plane_tensors(there, at::kCPU);
    there = {};
    EXPECT_FALSE(memory.expired());
    planes.resize(1);
    EXPECT_FALSE(memory.expired());
    planes.clear();
    EXPECT_TRUE(memory.expired());
}

TEST(OnAnyDevice, matrices_that_are_no_product_are_left_to_the_host) {
    EXPECT_TRUE(converts_on_device(k420, {.matrix = 9}));
    EXPECT_FALSE(converts_on_device(k420, {.matrix = 10}));
    EXPECT_FALSE(converts_on_device(k420, {.matrix = 14}));
    EXPECT_TRUE(converts_on_device(kGray, {.matrix = 10}));
}

}   // namespace
}   // namespace millstream
