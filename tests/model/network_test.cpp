// What is derived from a graph, and the two executors against each other on every catalogue network.
#include "model/network.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/cpu.h"
#include "millstream/error.h"
#include "millstream/model.h"
#include "model/executor.h"

namespace millstream {
namespace {

at::Tensor picture(int width, int height) {
    at::manual_seed(3);
    return at::upsample_bicubic2d(at::rand({1, 3, height / 5 + 2, width / 5 + 2}), {height, width}, false)
        .clamp(0, 1)
        .contiguous();
}

at::Tensor run(const Network& network, Backend backend, Precision precision, const at::Tensor& input) {
    const ExecutorSettings settings{.backend = backend, .precision = precision, .threads = 2, .requests = 1};
    return run_once(*make_executor(network, settings), network, input);
}

double psnr(const at::Tensor& a, const at::Tensor& b) {
    return -10 * std::log10((a - b).square().mean().item().toDouble());
}

bool installed(const ModelInfo& model) {
    return !model.package.empty() && model.installed();
}

TEST(IdentityNetwork, gives_its_input_back_bit_for_bit_on_both_backends) {
    const Network network = identity_network();
    EXPECT_EQ(network.scale, 1);
    EXPECT_EQ(network.receptive_radius, 0);
    const at::Tensor input = picture(61, 37);
    EXPECT_TRUE(at::equal(run(network, Backend::torch, Precision::fp32, input), input));
    EXPECT_TRUE(at::equal(run(network, Backend::openvino, Precision::fp32, input), input));
}

// 18 convolutions of 3x3 see 18 px; the bicubic half of x2 reads one pixel of the x4 picture more on either side.
TEST(ReceptiveRadius, of_the_default_network_is_exact) {
    bool found = false;
    for (const ModelInfo& model : list_models()) {
        if (model.name == "realesr-animevideov3" && installed(model)) {
            found = true;
            EXPECT_EQ(load_model(model.name, 4).network.receptive_radius, 18);
            EXPECT_EQ(load_model(model.name, 2).network.receptive_radius, 19);
        }
    }
    if (!found) {
        GTEST_SKIP() << "the weights of realesr-animevideov3 are not installed";
    }
}

// A change of one input pixel must reach exactly as far as the radius says, no farther.
TEST(ReceptiveRadius, holds_for_a_change_of_one_pixel) {
    for (const ModelInfo& model : list_models()) {
        if (model.name != "realesr-animevideov3" || !installed(model) || model.scale != 2) {
            continue;
        }
        const Network network = load_model(model.name, 2).network;
        at::Tensor input = picture(81, 81);
        const at::Tensor before = run(network, Backend::torch, Precision::fp32, input);
        input.select(2, 40).select(2, 40).add_(0.5);
        const at::Tensor changed = (run(network, Backend::torch, Precision::fp32, input) - before).abs().amax(1)[0] > 0;
        const at::Tensor places = changed.nonzero();
        const auto first = places.amin().item().toLong() / 2;
        const auto last = places.amax().item().toLong() / 2;
        EXPECT_GE(first, 40 - network.receptive_radius);
        EXPECT_LE(last, 40 + network.receptive_radius);
    }
}

TEST(Executors, agree_on_every_network_of_the_catalogue) {
    int networks = 0;
    for (const ModelInfo& model : list_models()) {
        if (!installed(model)) {
            continue;
        }
        const Network network = load_model(model.name, model.scale).network;
        EXPECT_EQ(network.scale, model.scale) << model.name;
        const bool deep = network.macs_per_pixel > 3e6;
        const at::Tensor input = deep ? picture(24, 20) : picture(64, 48);
        const at::Tensor torch = run(network, Backend::torch, Precision::fp32, input);
        const at::Tensor openvino = run(network, Backend::openvino, Precision::fp32, input);
        EXPECT_LT((torch - openvino).abs().max().item().toFloat(), 1.0F / 255) << model.name << " x" << model.scale;
        ++networks;
    }
    if (networks == 0) {
        GTEST_SKIP() << "no weights are installed";
    }
    EXPECT_EQ(networks, 12) << "every shipped file set";
}

TEST(Bf16, of_the_default_network_stays_near_fp32_and_keeps_its_mean) {
    Network network;
    try {
        network = load_model("realesr-animevideov3", 2).network;
    } catch (const Error& error) {
        GTEST_SKIP() << error.what();
    }
    const at::Tensor input = picture(96, 64);
    const at::Tensor exact = run(network, Backend::torch, Precision::fp32, input);
    const auto check = [&](Backend backend) {
        const at::Tensor rounded = run(network, backend, Precision::bf16, input);
        EXPECT_GE(psnr(rounded, exact), 50.0);
        EXPECT_LE(std::abs((rounded - exact).mean().item().toDouble()) * 255, 0.1);
    };
    check(Backend::torch);
    if (!cpu_has_bf16()) {
        GTEST_SKIP() << "OpenVINO: this processor has no bf16; Torch has been checked";
    }
    check(Backend::openvino);
}

TEST(Bf16, is_refused_where_openvino_would_run_fp32_silently) {
    if (cpu_has_bf16()) {
        GTEST_SKIP() << "this processor has bf16";
    }
    ExecutorSettings settings{.backend = Backend::openvino, .precision = Precision::bf16, .threads = 1, .requests = 1};
    EXPECT_THROW(resolve_backend(settings), Error);
    settings = {.backend = Backend::automatic, .precision = Precision::automatic, .threads = 1, .requests = 1};
    resolve_backend(settings);
    EXPECT_EQ(settings.precision, Precision::fp32);
}

TEST(LoadModel, an_unknown_name_is_an_error_that_lists_the_known_ones) {
    try {
        load_model("realesr-animevideo", 2);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::model);
        EXPECT_NE(std::string(error.what()).find("realesr-animevideov3"), std::string::npos) << error.what();
    }
}

}   // namespace
}   // namespace millstream
