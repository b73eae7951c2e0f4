// Tiles against whole frames with real networks on both backends.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <tuple>

#include "enhance/enhancer.h"
#include "millstream/model.h"

namespace millstream {
namespace {

bool installed(const std::string& name) {
    for (const ModelInfo& model : list_models()) {
        if (model.name == name && model.installed()) {
            return true;
        }
    }
    return false;
}

// Band-limited noise: edges and texture as a picture has, not white noise no network was made for.
at::Tensor picture(Size size) {
    at::manual_seed(7);
    const at::Tensor coarse = at::rand({1, 3, size.height / 6 + 2, size.width / 6 + 2});
    return at::upsample_bicubic2d(coarse, {size.height, size.width}, false)[0].clamp(0, 1).contiguous();
}

at::Tensor enhanced(Executor& executor, int scale, Size frame, const TileLayout& layout, const at::Tensor& input) {
    Enhancer enhancer(executor, scale, layout);
    enhancer.submit({0, input, at::empty({3, frame.height * scale, frame.width * scale})});
    return enhancer.drain()->output;
}

ExecutorSettings settings_for(Backend backend, int threads, int requests) {
    return {.backend = backend, .precision = Precision::fp32, .threads = threads, .requests = requests};
}

using Case = std::tuple<std::string, Backend, int>;
class ExactTiling : public testing::TestWithParam<Case> {};

TEST_P(ExactTiling, equals_the_whole_frame_bit_for_bit) {
    const auto& [name, backend, requests] = GetParam();
    if (!installed(name)) {
        GTEST_SKIP() << "the weights of " << name << " are not installed";
    }
    const Network network = load_model(name, 2).network;
    const auto executor = make_executor(network, settings_for(backend, 2, requests));
    const int halo = network.receptive_radius;
    for (const Size frame : {Size{131, 97}, Size{160, 90}}) {
        const at::Tensor input = picture(frame);
        const at::Tensor whole = enhanced(*executor, network.scale, frame, {frame, 0, 0}, input);
        for (const int tile : {64, 81}) {
            const at::Tensor tiled = enhanced(*executor, network.scale, frame, {{tile, tile}, halo, 0}, input);
            EXPECT_TRUE(at::equal(tiled, whole))
                << frame.width << "x" << frame.height << " in tiles of " << tile << ": worst difference "
                << (tiled - whole).abs().max().item().toFloat();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Networks, ExactTiling,
                         testing::Combine(testing::Values("identity", "realesr-animevideov3"),
                                          testing::Values(Backend::torch, Backend::openvino), testing::Values(1, 2)),
                         [](const auto& chosen) {
                             std::string name = std::get<0>(chosen.param) == "identity" ? "identity" : "animevideov3";
                             name += std::get<1>(chosen.param) == Backend::torch ? "_torch_" : "_openvino_";
                             return name + std::to_string(std::get<2>(chosen.param));
                         });

TEST(CrossFadedTiling, a_deep_network_shows_no_seam) {
    const std::string name = "realesrgan-x4plus";
    if (!installed(name)) {
        GTEST_SKIP() << "the weights of " << name << " are not installed";
    }
    const Network network = load_model(name, 4).network;
    const auto executor = make_executor(network, settings_for(Backend::openvino, 2, 1));
    const Size frame{150, 40};
    const TileLayout layout{{110, 40}, 32, 8};
    ASSERT_GT(network.receptive_radius, layout.halo) << "then tiles are exact and this test means nothing";
    const at::Tensor input = picture(frame);
    const at::Tensor whole = enhanced(*executor, 4, frame, {frame, 0, 0}, input);
    // What a seam looks like to this measure: tiles without context, cut hard.
    const at::Tensor blended = enhanced(*executor, 4, frame, layout, input);
    const at::Tensor hard = enhanced(*executor, 4, frame, {{76, 40}, 1, 0}, input);

    // Steepness of a column against its neighbours on either side, where a seam would stand out.
    const auto seam_excess = [&](const at::Tensor& image, std::int64_t seam) {
        const at::Tensor step = (image.narrow(2, 1, 4 * frame.width - 1) - image.narrow(2, 0, 4 * frame.width - 1));
        const at::Tensor steepness =
            (step - (whole.narrow(2, 1, 4 * frame.width - 1) - whole.narrow(2, 0, 4 * frame.width - 1)))
                .abs()
                .mean({0, 1});
        const float at_seam = steepness.narrow(0, seam - 2, 3).max().item().toFloat();
        const float around =
            (steepness.narrow(0, seam - 18, 16).mean() + steepness.narrow(0, seam + 2, 16).mean()).item().toFloat() / 2;
        return at_seam / around;
    };
    const auto seam_of = [&](int tile, int halo, int blend) {
        const auto spans = cut_side(frame.width, tile, halo, blend);
        EXPECT_EQ(spans.size(), 2U);
        return 4LL * spans[1].keep;
    };
    const float hard_seam = seam_excess(hard, seam_of(76, 1, 0));
    const float blended_seam = seam_excess(blended, seam_of(110, 32, 8));
    EXPECT_GT(hard_seam, 2.0F) << "the measure must see a real seam";
    EXPECT_LT(blended_seam, 1.25F);
    const double mse = (blended - whole).square().mean().item().toDouble();
    EXPECT_GT(-10 * std::log10(mse), 40.0);
    std::printf("seam steepness: hard %.2f, cross-faded %.2f of its surroundings; %.1f dB\n",
                static_cast<double>(hard_seam), static_cast<double>(blended_seam), -10 * std::log10(mse));
}

}   // namespace
}   // namespace millstream
