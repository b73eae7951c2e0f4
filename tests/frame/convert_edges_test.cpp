// Sizes, alignments, resampling, dither, alpha and refusals.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "frame/alpha.h"
#include "frame/convert.h"
#include "frame/pictures.h"
#include "frame/tensor_pool.h"
#include "millstream/error.h"
#include "millstream/options.h"

namespace millstream {
namespace {

constexpr Colour k709{.matrix = 1, .chroma_location = ChromaLocation::left};

Picture smooth_picture(const PixelFormat& format, int width, int height) {
    const Picture picture = blank(format, width, height);
    for (int plane = 0; plane < format.planes(); ++plane) {
        fill_smooth(picture, plane);
    }
    return picture;
}

TEST(OddSizes, come_back_within_one_code) {
    for (const auto& [width, height] : {std::pair{1, 1}, {2, 1}, {1, 2}, {161, 121}, {319, 179}, {33, 64}}) {
        for (const int shift_y : {0, 1}) {
            const PixelFormat format{.chroma_shift_x = 1, .chroma_shift_y = shift_y};
            const Picture picture = smooth_picture(format, width, height);
            const Picture back = there_and_back(picture, k709);
            EXPECT_EQ(difference(picture, back, 0).largest, 0) << width << "x" << height;
            EXPECT_LE(difference(picture, back, 1).largest, 1) << width << "x" << height;
            EXPECT_LE(difference(picture, back, 2).largest, 1) << width << "x" << height;
        }
    }
}

TEST(OddSizes, leave_what_lies_beside_the_tensor_alone) {
    const Picture picture = smooth_picture({}, 161, 121);
    std::vector<float> memory(3 * 161 * 121 + 32, 42.0F);
    TensorPool pool({3, 121, 161});
    at::Tensor tensor = pool.take();
    PictureToTensor(picture.format, k709, 161, 121).convert(picture, tensor);
    at::Tensor wide = at::empty({3 * 121 * 161 + 32}, at::TensorOptions().dtype(at::kFloat));
    std::fill_n(wide.mutable_data_ptr<float>(), wide.numel(), 42.0F);
    at::Tensor inside = wide.narrow(0, 16, 3 * 121 * 161).view({3, 121, 161});
    PictureToTensor(picture.format, k709, 161, 121).convert(picture, inside);
    const float* floats = wide.const_data_ptr<float>();
    for (int i = 0; i < 16; ++i) {
        EXPECT_EQ(floats[i], 42.0F);
        EXPECT_EQ(floats[wide.numel() - 1 - i], 42.0F);
    }
    EXPECT_EQ(std::memcmp(tensor.const_data_ptr(), inside.const_data_ptr(), 3 * 121 * 161 * sizeof(float)), 0);
}

// The same pixels at addresses zimg cannot use directly, as a cropped decoder picture has them.
TEST(UnalignedMemory, gives_the_same_result_as_aligned_memory) {
    for (const int depth : {8, 10}) {
        const PixelFormat format{.depth = depth};
        const Picture large = blank(format, 300, 200);
        for (int plane = 0; plane < 3; ++plane) {
            fill_noise(large, plane, 5);
        }
        Picture cropped = large;
        cropped.width = 256;
        cropped.height = 144;
        const Picture aligned = blank(format, 256, 144);
        for (int plane = 0; plane < 3; ++plane) {
            const int shift = plane == 0 ? 0 : 1;
            cropped.planes[static_cast<std::size_t>(plane)].data = address(large, plane, 6 >> shift, 4 >> shift);
            for_each_sample(aligned, plane,
                            [&](int x, int y) { set_sample(aligned, plane, x, y, sample(cropped, plane, x, y)); });
        }
        TensorPool pool({3, 144, 256});
        at::Tensor a = pool.take();
        at::Tensor b = pool.take();
        PictureToTensor to_tensor(format, k709, 256, 144);
        to_tensor.convert(aligned, a);
        to_tensor.convert(cropped, b);
        EXPECT_EQ(std::memcmp(a.const_data_ptr(), b.const_data_ptr(), pool.tensor_bytes()), 0);

        TensorToPicture to_picture(256, 144, format, k709, 256, 144);
        Picture from_aligned = blank(format, 256, 144);
        Picture from_unaligned = blank(format, 256, 144);
        at::Tensor wide = empty_tensor(257, 144);
        at::Tensor unaligned = wide.narrow(2, 1, 256);   // rows contiguous, none aligned
        unaligned.copy_(a);
        to_picture.convert(a, from_aligned);
        to_picture.convert(unaligned, from_unaligned);
        for (int plane = 0; plane < 3; ++plane) {
            EXPECT_EQ(difference(from_aligned, from_unaligned, plane).largest, 0);
        }
    }
}

TEST(Tensor, holds_the_matrix_equations_of_h273) {
    // BT.709 limited 8 bit: R = Y' + 1.5748 Cr, G = Y' - 0.18732 Cb - 0.46812 Cr, B = Y' + 1.8556 Cb (H.273 table 4).
    const PixelFormat format{.chroma_shift_x = 0, .chroma_shift_y = 0};
    const Picture picture = blank(format, 32, 2);
    for_each_sample(picture, 0, [&](int x, int y) {
        set_sample(picture, 0, x, y, 81);
        set_sample(picture, 1, x, y, 90);
        set_sample(picture, 2, x, y, 240);
    });
    at::Tensor tensor = empty_tensor(32, 2);
    PictureToTensor(format, k709, 32, 2).convert(picture, tensor);
    const double luma = (81 - 16) / 219.0;
    const double cb = (90 - 128) / 224.0;
    const double cr = (240 - 128) / 224.0;
    EXPECT_NEAR(value(tensor, 0, 5, 1), luma + 1.5748 * cr, 1e-5);
    EXPECT_NEAR(value(tensor, 1, 5, 1), luma - 0.187324 * cb - 0.468124 * cr, 1e-5);
    EXPECT_NEAR(value(tensor, 2, 5, 1), luma + 1.8556 * cb, 1e-5);
    EXPECT_GT(value(tensor, 0, 5, 1), 1.0F);   // out of gamut, not clamped
}

TEST(Tensor, of_a_gray_picture_has_three_equal_planes) {
    const PixelFormat format{.family = ColourFamily::gray};
    const Picture picture = blank(format, 40, 8);
    fill_noise(picture, 0, 3);
    at::Tensor tensor = empty_tensor(40, 8);
    PictureToTensor(format, k709, 40, 8).convert(picture, tensor);
    for (int plane = 0; plane < 3; ++plane) {
        EXPECT_NEAR(value(tensor, plane, 11, 3), (sample(picture, 0, 11, 3) - 16) / 219.0, 1e-6);
    }
}

TEST(Alpha, is_ignored_on_the_way_in_and_opaque_on_the_way_out) {
    for (const int depth : {8, 10}) {
        const PixelFormat format{.depth = depth, .chroma_shift_x = 0, .chroma_shift_y = 0, .alpha = true};
        const Picture picture = smooth_picture(format, 48, 16);
        const Picture back = there_and_back(picture, k709);
        EXPECT_EQ(difference(picture, back, 0).largest, 0);
        for_each_sample(back, 3, [&](int x, int y) { EXPECT_EQ(sample(back, 3, x, y), (1 << depth) - 1); });
    }
}

TEST(Alpha, comes_back_beside_the_colours) {
    for (const int depth : {8, 10}) {
        const PixelFormat format{.depth = depth, .chroma_shift_x = 0, .chroma_shift_y = 0, .alpha = true};
        const Picture picture = smooth_picture(format, 48, 16);
        const Picture alpha = alpha_plane(picture);
        at::Tensor tensor = empty_tensor(48, 16);
        PictureToTensor(format, k709, 48, 16).convert(picture, tensor);
        Picture back = blank(format, 48, 16);
        TensorToPicture(48, 16, format, k709, 48, 16).convert(tensor, back, &alpha);
        EXPECT_EQ(difference(picture, back, 0).largest, 0);
        EXPECT_EQ(difference(picture, back, 3).largest, 0);
    }
}

TEST(Alpha, is_scaled_and_brought_to_the_depth_of_the_output) {
    const PixelFormat source{.depth = 8, .chroma_shift_x = 0, .chroma_shift_y = 0, .alpha = true};
    const PixelFormat target{.depth = 10, .chroma_shift_x = 0, .chroma_shift_y = 0, .alpha = true};
    Picture picture = blank(source, 40, 24);
    for (int y = 0; y < 24; ++y) {
        for (int x = 0; x < 40; ++x) {
            picture.planes[3].data[y * picture.planes[3].stride + x] = static_cast<std::byte>(x < 20 ? 0 : 255);
        }
    }
    Picture large = blank(target, 80, 48);
    AlphaScaler(alpha_plane(picture), large).convert(alpha_plane(picture), large);
    for_each_sample(large, 3, [&](int x, int y) {
        if (x < 30 || x >= 50) {   // away from the edge, where the kernel rings within the range
            EXPECT_EQ(sample(large, 3, x, y), x < 40 ? 0 : 1023) << x << "," << y;
        }
    });
}

TEST(Dither, depends_on_the_position_only) {
    // The left half stands still, the right half changes: error diffusion would let that show on the left.
    at::Tensor tensor = empty_tensor(256, 128);
    float* floats = tensor.mutable_data_ptr<float>();
    const auto paint = [&](double right) {
        for (std::int64_t i = 0; i < tensor.numel(); ++i) {
            const auto x = i % 256;
            floats[i] = static_cast<float>(x < 128 ? 0.3 + static_cast<double>(i % 977) / 3000.0 : right);
        }
    };
    for (const int depth : {8, 10}) {
        const PixelFormat format{.depth = depth};
        TensorToPicture converter(256, 128, format, k709, 256, 128);
        Picture first = blank(format, 256, 128);
        Picture second = blank(format, 256, 128);
        paint(0.2);
        converter.convert(tensor, first);
        paint(0.9);
        converter.convert(tensor, second);
        for (int plane = 0; plane < 3; ++plane) {
            const int still = plane == 0 ? 128 : 60;   // chroma kernels reach 4 samples across
            for_each_sample(first, plane, [&](int x, int y) {
                if (x < still) {
                    ASSERT_EQ(sample(first, plane, x, y), sample(second, plane, x, y)) << plane << " " << x;
                }
            });
        }
    }
}

TEST(Dither, keeps_the_mean_of_a_value_between_two_codes) {
    at::Tensor tensor = empty_tensor(256, 256);
    std::fill_n(tensor.mutable_data_ptr<float>(), tensor.numel(), static_cast<float>((100.3 - 16) / 219));
    const PixelFormat format{.chroma_shift_x = 0, .chroma_shift_y = 0};
    Picture picture = blank(format, 256, 256);
    TensorToPicture(256, 256, format, k709, 256, 256).convert(tensor, picture);
    double sum = 0;
    for_each_sample(picture, 0, [&](int x, int y) { sum += sample(picture, 0, x, y); });
    EXPECT_NEAR(sum / (256 * 256), 100.3, 0.01);
}

TEST(Resampling, keeps_a_ramp_in_place_at_any_size) {
    constexpr int kSource = 240;
    at::Tensor tensor = empty_tensor(kSource, kSource);
    float* floats = tensor.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < tensor.numel(); ++i) {
        floats[i] = static_cast<float>((static_cast<double>(i % kSource) + 0.5) / kSource);
    }
    for (const Size size : {Size{480, 360}, {120, 120}, {361, 241}, {119, 77}, {240, 121}}) {
        const int width = size.width;
        const int height = size.height;
        Picture picture = blank({}, width, height);
        TensorToPicture(kSource, kSource, {}, k709, width, height).convert(tensor, picture);
        for_each_sample(picture, 0, [&](int x, int y) {
            if (x > 8 && x < width - 8) {
                const double expected = 16 + 219 * (x + 0.5) / width;
                ASSERT_NEAR(sample(picture, 0, x, y), expected, 1.01) << width << "x" << height << " at " << x;
            }
        });
        for_each_sample(picture, 1, [&](int x, int y) { ASSERT_NEAR(sample(picture, 1, x, y), 128, 1); });
    }
}

ErrorKind refusal_of(const PixelFormat& format, const Colour& colour, std::string* text = nullptr) {
    try {
        const PictureToTensor converter(format, colour, 64, 64);
    } catch (const Error& error) {
        if (text != nullptr) {
            *text = error.what();
        }
        return error.kind();
    }
    return ErrorKind::internal;
}

TEST(Refusal, names_the_matrix_that_zimg_lacks) {
    std::string text;
    EXPECT_EQ(refusal_of({}, {.matrix = 11}, &text), ErrorKind::input);
    EXPECT_NE(text.find("matrix coefficients 11"), std::string::npos) << text;
    EXPECT_EQ(refusal_of({}, {.matrix = 2}), ErrorKind::input);    // unresolved
    EXPECT_EQ(refusal_of({}, {.matrix = 14}), ErrorKind::input);   // ICtCp without its transfer curve
    EXPECT_EQ(refusal_of({.depth = 7}, k709), ErrorKind::input);
}

TEST(Matrix, that_needs_primaries_and_transfer_gets_them) {
    const PixelFormat format{.depth = 10, .chroma_shift_x = 0, .chroma_shift_y = 0};
    const Picture picture = smooth_picture(format, 64, 32);
    for_each_sample(picture, 1, [&](int x, int y) {   // in gamut: these matrices are not linear beyond it
        set_sample(picture, 1, x, y, 505 + x / 8);
        set_sample(picture, 2, x, y, 520 - y / 8);
    });
    for (const Colour& colour : {Colour{.matrix = 14, .primaries = 9, .transfer = 16}, Colour{.matrix = 10},
                                 Colour{.matrix = 12, .primaries = 1, .transfer = 1}}) {
        const Picture back = there_and_back(picture, colour);
        for (int plane = 0; plane < 3; ++plane) {
            EXPECT_LE(difference(picture, back, plane).largest, 1) << colour.matrix;
        }
    }
}

TEST(Converters, refuse_a_picture_or_tensor_of_another_shape) {
    PictureToTensor converter({}, k709, 64, 64);
    at::Tensor tensor = empty_tensor(64, 64);
    at::Tensor small = empty_tensor(64, 32);
    EXPECT_THROW(converter.convert(blank({}, 64, 62), tensor), Error);
    EXPECT_THROW(converter.convert(blank({}, 64, 64), small), Error);
}

}   // namespace
}   // namespace millstream
