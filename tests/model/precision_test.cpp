#include "model/precision.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/cpu.h"
#include "millstream/error.h"
#include "model/executor.h"
#include "model/lower.h"
#include "model/networks.h"
#include "model/test_picture.h"

namespace millstream {
namespace {

at::Tensor run(const Network& network, Backend backend, Precision precision, const at::Tensor& picture) {
    const ExecutorSettings settings{.backend = backend, .precision = precision, .threads = 2, .requests = 1};
    return run_once(*make_executor(network, settings), network, picture);
}

TEST(ReducedPrecision, keeps_the_picture_in_fp32) {
    // Real-ESRGAN's compact networks: features, then a difference that is added to the repeated picture.
    Network network = chain({conv(3, 8, 3), prelu(8), conv(8, 8, 3), conv(8, 48, 3), shuffle(4)});
    Node repeat = resize(4, 1, InterpolateMode::nearest);
    repeat.inputs = {0};
    network.nodes.push_back(repeat);
    network.nodes.push_back(add(5, 6));
    network.nodes.push_back(resize(1, 2, InterpolateMode::bicubic));
    network.nodes.back().inputs = {7};
    network.output = 8;
    analyse(network, "test");
    //                                   input conv  prelu  conv   last   shuffle repeat add   pad   bicubic
    EXPECT_EQ(layers_in_fp32(lowered(network)),
              (std::vector<bool>{true, true, false, false, false, true, true, true, true, true}));
}

TEST(ReducedPrecision, keeps_the_last_convolutions_in_fp32_where_no_picture_is_added) {
    Network network = chain({conv(3, 8, 3), conv(8, 8, 3), conv(8, 8, 1), conv(8, 12, 3), shuffle(2)});
    analyse(network, "test");
    EXPECT_EQ(layers_in_fp32(lowered(network)), (std::vector<bool>{true, true, false, true, true, true}));
}

TEST(ReducedPrecision, identity_is_exact_in_bf16) {
    const at::Tensor picture = test_picture(20, 20);
    EXPECT_TRUE(run(identity_network(), Backend::torch, Precision::bf16, picture).equal(picture));
}

// Note [Brightness]: bf16 throughout is near 52 dB and half a code value darker.
TEST(ReducedPrecision, of_the_default_network_stays_near_fp32_and_keeps_its_mean) {
    Network network;
    try {
        network = load_model("realesr-animevideov3", 2).network;
    } catch (const Error& error) {
        GTEST_SKIP() << error.what();
    }
    const at::Tensor picture = test_picture(64, 96);
    const at::Tensor exact = run(network, Backend::torch, Precision::fp32, picture);
    const auto check = [&](Backend backend, double least_psnr, double most_shift) {
        const at::Tensor difference = run(network, backend, Precision::bf16, picture) - exact;
        EXPECT_GE(-10 * std::log10(difference.square().mean().item<double>()), least_psnr);
        EXPECT_LE(std::abs(difference.mean().item<double>()) * 255, most_shift);
    };
    check(Backend::torch, 65.0, 0.02);
    if (!cpu_has_bf16()) {
        GTEST_SKIP() << "OpenVINO: this processor has no bf16; Torch has been checked";
    }
    check(Backend::openvino, 50.0, 0.1);   // what a job is held to; no hardware has been measured more closely
}

}   // namespace
}   // namespace millstream
