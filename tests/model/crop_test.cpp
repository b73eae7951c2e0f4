// What tiling rests on: in fp32 a crop with R pixels around it gives the whole frame's values bit for bit, whatever the
// size, the number of threads and the number of requests. It is a property of the kernels that the libraries choose,
// not a promise of theirs: this test is what notices when a new version breaks it.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "millstream/error.h"
#include "millstream/model.h"
#include "model/executor.h"
#include "model/test_picture.h"

namespace millstream {
namespace {

struct Model {
    const char* name;
    int scale;
};

struct Part {
    std::int64_t y, x, height, width;
};

constexpr std::int64_t kHeight = 77;
constexpr std::int64_t kWidth = 101;
constexpr std::array kParts{Part{0, 0, 32, 32}, Part{29, 20, 13, 47}, Part{40, 55, 1, 1},
                            Part{3, 3, 17, 23}, Part{0, 1, 76, 100},  Part{52, 60, 25, 41}};

using Case = std::tuple<Model, Backend>;

std::string name_of(const testing::TestParamInfo<Case>& info) {
    const auto& [model, backend] = info.param;
    std::string name = std::string(model.name) + "_x" + std::to_string(model.scale) +
                       (backend == Backend::torch ? "_torch" : "_openvino");
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

class CropTest : public testing::TestWithParam<Case> {};

// 48 channels are whole blocks of OpenVINO's, 52 are not.
INSTANTIATE_TEST_SUITE_P(Networks, CropTest,
                         testing::Values(Case{{"realesr-animevideov3", 2}, Backend::torch},
                                         Case{{"realesr-animevideov3", 2}, Backend::openvino},
                                         Case{{"span", 2}, Backend::torch}, Case{{"span-ch52", 2}, Backend::torch},
                                         Case{{"span-ch52", 2}, Backend::openvino}),
                         name_of);

TEST_P(CropTest, gives_the_whole_frames_values_bit_for_bit) {
    const auto& [wanted, backend] = GetParam();
    Network network;
    try {
        network = load_model(wanted.name, wanted.scale).network;
    } catch (const Error& error) {
        GTEST_SKIP() << error.what();
    }
    const std::int64_t halo = network.receptive_radius;
    const at::Tensor picture = test_picture(kHeight, kWidth);
    at::Tensor first;
    std::size_t next = 0;   // every part once: OpenVINO compiles for each
    for (const auto& [threads, requests] : {std::pair{1, 1}, {2, 1}, {2, 2}}) {
        ExecutorSettings settings;
        settings.backend = backend;
        settings.precision = Precision::fp32;
        settings.threads = threads;
        settings.requests = requests;
        const auto executor = make_executor(network, settings);
        const at::Tensor whole = run_once(*executor, network, picture);
        if (!first.defined()) {
            first = whole;
        }
        EXPECT_TRUE(whole.equal(first)) << threads << " threads, " << requests << " requests";
        for (int i = 0; i < 2; ++i) {
            const Part& part = kParts.at(next++);
            const std::int64_t top = std::max<std::int64_t>(0, part.y - halo);
            const std::int64_t left = std::max<std::int64_t>(0, part.x - halo);
            const std::int64_t bottom = std::min(kHeight, part.y + part.height + halo);
            const std::int64_t right = std::min(kWidth, part.x + part.width + halo);
            const at::Tensor tile = run_once(
                *executor, network, picture.narrow(2, top, bottom - top).narrow(3, left, right - left).contiguous());
            const auto cut = [&, s = network.scale](const at::Tensor& t, std::int64_t y, std::int64_t x) {
                return t.narrow(2, (part.y - y) * s, part.height * s).narrow(3, (part.x - x) * s, part.width * s);
            };
            EXPECT_TRUE(cut(tile, top, left).equal(cut(whole, 0, 0)))
                << part.width << 'x' << part.height << " at " << part.x << ',' << part.y << ", " << threads
                << " threads, " << requests << " requests";
        }
    }
}

// One pixel less and it no longer holds: the radius is not larger than it must be.
TEST(Crop, needs_the_whole_radius) {
    Network network;
    try {
        network = load_model("realesr-animevideov3", 2).network;
    } catch (const Error& error) {
        GTEST_SKIP() << error.what();
    }
    EXPECT_EQ(network.receptive_radius, 19);   // 18 convolutions of 3x3, and the bicubic end
    EXPECT_EQ(load_model("realesr-animevideov3", 4).network.receptive_radius, 18);
    ExecutorSettings settings;
    settings.backend = Backend::torch;
    settings.precision = Precision::fp32;
    const auto executor = make_executor(network, settings);
    const at::Tensor picture = test_picture(80, 80);
    const at::Tensor whole = run_once(*executor, network, picture);
    const auto kept = [&](std::int64_t halo) {   // the pixels from column 40 on, read from 40 - halo on
        const at::Tensor tile = run_once(*executor, network, picture.narrow(3, 40 - halo, 40 + halo).contiguous());
        return tile.narrow(3, 2 * halo, 80).equal(whole.narrow(3, 80, 80));
    };
    EXPECT_TRUE(kept(19));
    EXPECT_FALSE(kept(18));
}

}   // namespace
}   // namespace millstream
