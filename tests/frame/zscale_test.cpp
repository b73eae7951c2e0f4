// Agreement with FFmpeg's zscale filter, given the same kernels.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "frame/convert.h"
#include "frame/pictures.h"
#include "frame/zimg_format.h"

namespace millstream {
namespace {

constexpr int kWidth = 352;
constexpr int kHeight = 288;

struct Case {
    std::string name;   // in FFmpeg's words from here on
    std::string pixels;
    std::string matrix;
    std::string range;
    std::string location;
    PixelFormat format;
    Colour colour;
};

const std::vector<Case> kCases{
    {"8 bit 4:2:0", "yuv420p", "709", "limited", "left", {}, {.matrix = 1, .chroma_location = ChromaLocation::left}},
    {"10 bit 4:2:0",
     "yuv420p10le",
     "2020_ncl",
     "limited",
     "topleft",
     {.depth = 10},
     {.matrix = 9, .chroma_location = ChromaLocation::top_left}},
    {"full range 4:2:0",
     "yuv420p",
     "170m",
     "full",
     "center",
     {},
     {.matrix = 6, .full_range = true, .chroma_location = ChromaLocation::center}},
    {"4:2:2",
     "yuv422p",
     "709",
     "limited",
     "left",
     {.chroma_shift_y = 0},
     {.matrix = 1, .chroma_location = ChromaLocation::left}},
    {"4:4:4",
     "yuv444p",
     "470bg",
     "full",
     "left",
     {.chroma_shift_x = 0, .chroma_shift_y = 0},
     {.matrix = 5, .full_range = true, .chroma_location = ChromaLocation::left}},
};

class Zscale : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        if (std::system("ffmpeg -v quiet -filters 2>/dev/null | grep -q ' zscale '") != 0) {
            GTEST_SKIP() << "no ffmpeg with the zscale filter on this machine";
        }
        folder_ = std::filesystem::path(testing::TempDir()) / ("millstream_zscale_" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const Picture& picture) const {
        std::ofstream file(folder_ / "in", std::ios::binary);
        for (int plane = 0; plane < picture.format.planes(); ++plane) {
            const int bytes = picture.format.plane_width(plane, picture.width) * picture.format.bytes_per_sample();
            for (int y = 0; y < picture.format.plane_height(plane, picture.height); ++y) {
                file.write(reinterpret_cast<const char*>(address(picture, plane, 0, y)), bytes);
            }
        }
    }
    // FFmpeg's planar float order is G B R.
    void write(const at::Tensor& tensor) const {
        std::ofstream file(folder_ / "in", std::ios::binary);
        const std::int64_t plane = tensor.numel() / 3;
        for (const int index : {1, 2, 0}) {
            file.write(reinterpret_cast<const char*>(tensor.const_data_ptr<float>() + index * plane),
                       plane * static_cast<std::int64_t>(sizeof(float)));
        }
    }
    template <class T>
    std::vector<T> run(const std::string& from, const std::string& to, const std::string& zscale) const {
        const std::string command = "ffmpeg -nostdin -v error -y -f rawvideo -pix_fmt " + from + " -s " +
                                    std::to_string(kWidth) + "x" + std::to_string(kHeight) + " -i '" +
                                    (folder_ / "in").string() + "' -vf '" + zscale + ",format=" + to +
                                    "' -f rawvideo '" + (folder_ / "out").string() + "'";
        EXPECT_EQ(std::system(command.c_str()), 0) << command;
        std::vector<T> values(std::filesystem::file_size(folder_ / "out") / sizeof(T));
        std::ifstream file(folder_ / "out", std::ios::binary);
        file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
        return values;
    }

    std::filesystem::path folder_;
};

std::string kernel(const Bicubic& bicubic) {
    return ":filter=bicubic:param_a=" + std::to_string(bicubic.b) + ":param_b=" + std::to_string(bicubic.c);
}

double psnr(double squares, std::size_t count, double peak) {
    const double mean = squares / static_cast<double>(count);
    return mean == 0 ? 999 : 10 * std::log10(peak * peak / mean);
}

Picture test_picture(const PixelFormat& format) {
    const Picture picture = blank(format, kWidth, kHeight);
    fill_noise(picture, 0, 1);
    fill_smooth(picture, 1);
    fill_noise(picture, 2, 2);
    return picture;
}

TEST_P(Zscale, gives_the_same_tensor) {
    const Case& test = GetParam();
    const Picture picture = test_picture(test.format);
    at::Tensor tensor = empty_tensor(kWidth, kHeight);
    PictureToTensor(test.format, test.colour, kWidth, kHeight).convert(picture, tensor);
    write(picture);
    const auto floats = run<float>(test.pixels, "gbrpf32le",
                                   "zscale=matrixin=" + test.matrix + ":rangein=" + test.range +
                                       ":chromalin=" + test.location + ":matrix=gbr:range=full" + kernel(kChromaUp));
    ASSERT_EQ(floats.size(), static_cast<std::size_t>(tensor.numel()));
    const std::size_t plane = floats.size() / 3;
    double squares = 0;
    for (std::size_t i = 0; i < floats.size(); ++i) {
        const std::size_t ours = (i / plane + 1) % 3;   // G B R -> R G B
        const double error = floats[i] - tensor.const_data_ptr<float>()[ours * plane + i % plane];
        squares += error * error;
    }
    EXPECT_GE(psnr(squares, floats.size(), 1.0), 60) << test.name;
    RecordProperty("psnr_db", std::to_string(psnr(squares, floats.size(), 1.0)));
}

// Noise that is the same in R, G and B, so that it is luma only, and slow waves that differ.
at::Tensor test_tensor() {
    at::Tensor tensor = empty_tensor(kWidth, kHeight);
    float* floats = tensor.mutable_data_ptr<float>();
    std::mt19937 random(4);
    std::uniform_real_distribution<double> noise(-0.2, 1.2);
    for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
            const double luma = noise(random);
            for (int plane = 0; plane < 3; ++plane) {
                const double wave = 0.3 * std::sin(x * 0.05 + plane) * std::cos(y * 0.04);
                floats[(plane * kHeight + y) * kWidth + x] = static_cast<float>(luma + wave);
            }
        }
    }
    return tensor;
}

// zscale would apply the kernel of chroma_down() to luma as well. It is asked for Spline36 instead: hence slow waves in
// chroma, not rounded to codes (rounding is white noise), which both kernels pass.
TEST_P(Zscale, gives_the_same_picture) {
    const Case& test = GetParam();
    const at::Tensor tensor = test_tensor();
    Picture picture = blank(test.format, kWidth, kHeight);
    TensorToPicture(kWidth, kHeight, test.format, test.colour, kWidth, kHeight).convert(tensor, picture);
    write(tensor);
    const auto bytes =
        run<std::uint8_t>("gbrpf32le", test.pixels,
                          "zscale=matrixin=gbr:rangein=full:matrix=" + test.matrix + ":range=" + test.range +
                              ":chromal=" + test.location + ":dither=ordered:filter=spline36");
    ASSERT_EQ(bytes.size(), picture.bytes());
    std::size_t at = 0;
    for (int plane = 0; plane < 3; ++plane) {
        double squares = 0;
        std::size_t samples = 0;
        for_each_sample(picture, plane, [&](int x, int y) {
            int theirs = bytes[at++];
            if (test.format.depth > 8) {
                theirs += 256 * bytes[at++];
            }
            const double error = theirs - sample(picture, plane, x, y);
            squares += error * error;
            ++samples;
        });
        const double db = psnr(squares, samples, (1 << test.format.depth) - 1);
        EXPECT_GE(db, 60) << test.name << " plane " << plane;
        RecordProperty("psnr_db_of_plane_" + std::to_string(plane), std::to_string(db));
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, Zscale, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& test) { return "case_" + std::to_string(test.index); });

}   // namespace
}   // namespace millstream
