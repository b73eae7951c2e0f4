// Note [Planar equivalents]: what decoders give, as planes, without losing a bit.
#include <gtest/gtest.h>

extern "C" {
#include <libavutil/imgutils.h>
}

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "media/frame_fitter.h"
#include "media/pixel_formats.h"
#include "media/synthetic_file.h"

namespace millstream {
namespace {

constexpr int kWidth = 70;   // not a multiple of any vector width
constexpr int kHeight = 38;

av::Frame drawn(AVPixelFormat format, int width = kWidth, int height = kHeight) {
    av::Frame frame = av::make_frame();
    frame->format = format;
    frame->width = width;
    frame->height = height;
    EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
    for (int plane = 0; plane < 4 && frame->buf[plane] != nullptr; ++plane) {
        std::fill_n(frame->buf[plane]->data, frame->buf[plane]->size, std::uint8_t{0});   // drawing adds bits
    }
    testing::draw(*frame, 3);
    return frame;
}

std::vector<std::uint16_t> samples(const AVFrame& frame, int component) {
    const AVPixFmtDescriptor& description = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    const bool chroma = (component == 1 || component == 2) && (description.flags & AV_PIX_FMT_FLAG_RGB) == 0;
    const int width = chroma ? AV_CEIL_RSHIFT(frame.width, description.log2_chroma_w) : frame.width;
    const int height = chroma ? AV_CEIL_RSHIFT(frame.height, description.log2_chroma_h) : frame.height;
    std::vector<std::uint16_t> all(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    std::array<const std::uint8_t*, 4> data{frame.data[0], frame.data[1], frame.data[2], frame.data[3]};
    for (int y = 0; y < height; ++y) {
        av_read_image_line(all.data() + static_cast<std::ptrdiff_t>(y) * width, data.data(), frame.linesize,
                           &description, 0, y, component, width, 0);
    }
    return all;
}

// Formats whose samples have the depth they are unpacked to, one by one.
bool is_exact(const AVPixFmtDescriptor& description) {
    const std::uint64_t others =
        AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT;
    const std::string name = description.name;
    if ((description.flags & others) != 0 || name.starts_with("xyz") || description.nb_components == 2) {
        return false;
    }
    for (int i = 0; i < description.nb_components; ++i) {
        if (description.comp[i].depth != description.comp[0].depth || description.comp[i].depth < 8) {
            return false;
        }
    }
    return true;
}

FrameFitter fitter_for(AVPixelFormat format, bool full_range = false) {
    return {planar_equivalent(format).value(), {kWidth, kHeight, {0, 1}}, full_range, 2};
}

TEST(Unpacking, keeps_every_sample_of_every_format_that_libswscale_reads) {
    int tried = 0;
    for (const AVPixFmtDescriptor* description = av_pix_fmt_desc_next(nullptr); description != nullptr;
         description = av_pix_fmt_desc_next(description)) {
        const AVPixelFormat format = av_pix_fmt_desc_get_id(description);
        if (sws_isSupportedInput(format) == 0 || !planar_equivalent(format) || !is_exact(*description)) {
            continue;
        }
        SCOPED_TRACE(description->name);
        ++tried;
        const av::Frame original = drawn(format);
        FrameFitter fitter = fitter_for(format, is_full_range_format(format));
        const av::Frame fitted = fitter.fit(av::Frame(av_frame_clone(original.get())));
        ASSERT_EQ(planar_format(static_cast<AVPixelFormat>(fitted->format)), planar_equivalent(format));
        EXPECT_EQ(fitter.resampled(), 0);
        const int depth = planar_equivalent(format)->depth;
        for (int c = 0; c < description->nb_components; ++c) {
            EXPECT_EQ(description->comp[c].depth, depth);
            EXPECT_EQ(samples(*fitted, c), samples(*original, c)) << "component " << c;
        }
    }
    EXPECT_GE(tried, 100) << "FFmpeg 5.1 has that many";
}

TEST(Unpacking, makes_gray_with_alpha_equal_red_green_and_blue_with_alpha) {
    for (const AVPixelFormat format : {AV_PIX_FMT_YA8, AV_PIX_FMT_YA16LE, AV_PIX_FMT_YA16BE}) {
        SCOPED_TRACE(av_get_pix_fmt_name(format));
        const av::Frame original = drawn(format);
        const av::Frame fitted = fitter_for(format, true).fit(av::Frame(av_frame_clone(original.get())));
        for (int c = 0; c < 3; ++c) {
            EXPECT_EQ(samples(*fitted, c), samples(*original, 0)) << "component " << c;
        }
        EXPECT_EQ(samples(*fitted, 3), samples(*original, 1));
    }
}

TEST(Unpacking, finds_planes_for_everything_else_that_libswscale_reads) {
    for (const AVPixFmtDescriptor* description = av_pix_fmt_desc_next(nullptr); description != nullptr;
         description = av_pix_fmt_desc_next(description)) {
        const AVPixelFormat format = av_pix_fmt_desc_get_id(description);
        if (sws_isSupportedInput(format) == 0 || is_exact(*description)) {
            continue;
        }
        SCOPED_TRACE(description->name);
        ASSERT_TRUE(planar_equivalent(format));
        av::Frame frame = av::make_frame();
        frame->format = format;
        frame->width = kWidth;
        frame->height = kHeight;
        ASSERT_GE(av_frame_get_buffer(frame.get(), 0), 0);
        for (int plane = 0; plane < 4 && frame->buf[plane] != nullptr; ++plane) {
            std::fill_n(frame->buf[plane]->data, frame->buf[plane]->size, std::uint8_t{0});
        }
        const av::Frame fitted = fitter_for(format).fit(std::move(frame));
        EXPECT_EQ(planar_format(static_cast<AVPixelFormat>(fitted->format)), planar_equivalent(format));
    }
}

TEST(Unpacking, maps_the_usual_formats_as_documented) {
    const auto name = [](AVPixelFormat format) {
        return std::string(av_get_pix_fmt_name(to_av(planar_equivalent(format).value())));
    };
    EXPECT_EQ(name(AV_PIX_FMT_NV12), "yuv420p");
    EXPECT_EQ(name(AV_PIX_FMT_P010), "yuv420p10le");
    EXPECT_EQ(name(AV_PIX_FMT_YUYV422), "yuv422p");
    EXPECT_EQ(name(AV_PIX_FMT_UYYVYY411), "yuv411p");
    EXPECT_EQ(name(AV_PIX_FMT_YUVJ420P), "yuv420p");
    EXPECT_EQ(name(AV_PIX_FMT_YUV422P10BE), "yuv422p10le");
    EXPECT_EQ(name(AV_PIX_FMT_RGB24), "gbrp");
    EXPECT_EQ(name(AV_PIX_FMT_RGBA), "gbrap");
    EXPECT_EQ(name(AV_PIX_FMT_RGB48BE), "gbrp16le");
    EXPECT_EQ(name(AV_PIX_FMT_PAL8), "gbrap");
    EXPECT_EQ(name(AV_PIX_FMT_YA8), "gbrap");
    EXPECT_EQ(name(AV_PIX_FMT_MONOBLACK), "gray");
    EXPECT_EQ(name(AV_PIX_FMT_GRAY12BE), "gray12le");
    EXPECT_FALSE(planar_equivalent(AV_PIX_FMT_CUDA)) << "device memory is fetched first";
}

TEST(FrameFitter, passes_a_fitting_frame_on_without_copying_it) {
    av::Frame frame = av::make_frame();
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = kWidth;
    frame->height = kHeight;
    ASSERT_GE(av_frame_get_buffer(frame.get(), static_cast<int>(kPlaneAlignment)), 0);
    const std::uint8_t* const data = frame->data[0];
    FrameFitter fitter = fitter_for(AV_PIX_FMT_YUV420P);
    EXPECT_EQ(fitter.fit(std::move(frame))->data[0], data);
}

TEST(FrameFitter, copies_frames_whose_planes_are_not_aligned_or_run_upwards) {
    for (const int start : {1, -1}) {
        av::Frame frame = drawn(AV_PIX_FMT_YUV420P, kWidth + 2, kHeight);
        if (start == 1) {
            for (int plane = 0; plane < 3; ++plane) {
                frame->data[plane] += 1;   // cropped on the left
            }
        } else {
            for (int plane = 0; plane < 3; ++plane) {
                frame->data[plane] += (plane == 0 ? kHeight - 1 : kHeight / 2 - 1) * frame->linesize[plane];
                frame->linesize[plane] *= -1;
            }
        }
        frame->width = kWidth;
        const auto before = samples(*frame, 0);
        const av::Frame fitted = fitter_for(AV_PIX_FMT_YUV420P).fit(std::move(frame));
        EXPECT_EQ(samples(*fitted, 0), before);
        for (int plane = 0; plane < 3; ++plane) {
            EXPECT_GT(fitted->linesize[plane], 0);
            EXPECT_EQ(static_cast<std::size_t>(fitted->linesize[plane]) % kPlaneAlignment, 0U);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(fitted->data[plane]) % kPlaneAlignment, 0U);
        }
    }
}

TEST(FrameFitter, brings_another_size_to_the_target_with_black_borders_and_counts_it) {
    av::Frame tall = av::make_frame();
    tall->format = AV_PIX_FMT_YUV420P;
    tall->width = 20;
    tall->height = 40;
    ASSERT_GE(av_frame_get_buffer(tall.get(), 0), 0);
    for (int plane = 0; plane < 3; ++plane) {
        std::fill_n(tall->data[plane], tall->linesize[plane] * (plane == 0 ? 40 : 20), std::uint8_t{180});
    }
    FrameFitter fitter({}, {80, 40, {0, 1}}, false, 2);
    const av::Frame fitted = fitter.fit(std::move(tall));
    EXPECT_EQ(fitter.resampled(), 1);
    const auto luma = samples(*fitted, 0);
    const auto chroma = samples(*fitted, 1);
    EXPECT_EQ(luma[20 * 80 + 10], 16) << "left border, limited-range black";
    EXPECT_EQ(luma[20 * 80 + 70], 16);
    EXPECT_EQ(chroma[10 * 40 + 2], 128);
    EXPECT_EQ(luma[20 * 80 + 40], 180);
    EXPECT_EQ(chroma[10 * 40 + 20], 180);
}

TEST(FrameFitter, brings_full_range_to_limited_when_the_source_began_so) {
    av::Frame full = drawn(AV_PIX_FMT_YUVJ420P);
    for (int y = 0; y < kHeight; ++y) {
        std::fill_n(full->data[0] + y * full->linesize[0], kWidth, std::uint8_t{255});
    }
    FrameFitter fitter({}, {kWidth, kHeight, {0, 1}}, false, 2);
    const av::Frame fitted = fitter.fit(std::move(full));
    EXPECT_EQ(samples(*fitted, 0)[500], 235);
    EXPECT_EQ(fitter.resampled(), 1);
}

TEST(Letterbox, keeps_the_display_aspect_on_whole_chroma_samples) {
    const PixelFormat yuv420;
    EXPECT_EQ(letterbox({320, 240, {1, 1}}, {640, 360, {1, 1}}, yuv420), (Rectangle{80, 0, 480, 360}));
    EXPECT_EQ(letterbox({720, 480, {0, 1}}, {640, 360, {0, 1}}, yuv420), (Rectangle{50, 0, 540, 360}));
    EXPECT_EQ(letterbox({640, 360, {1, 1}}, {640, 360, {1, 1}}, yuv420), (Rectangle{0, 0, 640, 360}));
    EXPECT_EQ(letterbox({360, 288, {16, 11}}, {640, 360, {1, 1}}, yuv420), (Rectangle{0, 4, 640, 352}))
        << "anamorphic: 524x288 of square pixels";
    EXPECT_EQ(letterbox({1, 10000, {1, 1}}, {64, 64, {1, 1}}, yuv420).width, 2) << "never nothing";
}

TEST(Pictures, come_in_red_green_blue_order_and_go_back_to_the_encoder_so) {
    av::Frame frame = av::make_frame();
    frame->format = AV_PIX_FMT_RGB24;
    frame->width = kWidth;
    frame->height = kHeight;
    ASSERT_GE(av_frame_get_buffer(frame.get(), 0), 0);
    for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
            std::uint8_t* pixel = frame->data[0] + y * frame->linesize[0] + 3 * x;
            pixel[0] = 200;
            pixel[1] = 100;
            pixel[2] = 50;
        }
    }
    const PixelFormat format = planar_equivalent(AV_PIX_FMT_RGB24).value();
    const Picture picture = to_picture(fitter_for(AV_PIX_FMT_RGB24).fit(std::move(frame)), format);
    EXPECT_EQ(picture.planes[0].data[0], std::byte{200});
    EXPECT_EQ(picture.planes[1].data[0], std::byte{100});
    EXPECT_EQ(picture.planes[2].data[0], std::byte{50});
    const av::Frame back = to_frame(picture, to_av(format));
    EXPECT_EQ(back->data[0][0], 100) << "FFmpeg's order is G B R";
    EXPECT_EQ(back->data[1][0], 50);
    EXPECT_EQ(back->data[2][0], 200);
}

TEST(Pictures, live_as_long_as_the_last_share_of_them) {
    PicturePool pool({}, 64, 64);
    {
        Picture picture = pool.take();
        const av::Frame frame = to_frame(picture, AV_PIX_FMT_YUV420P);
        picture = {};
        EXPECT_EQ(pool.live(), 1) << "the encoder's share";
    }
    EXPECT_EQ(pool.live(), 0);
}

}   // namespace
}   // namespace millstream
