// The CPU's own blend against the reference in tensor operations.
#include "temporal/blend_cpu.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <gtest/gtest.h>

#include "temporal/blend_reference.h"

namespace millstream {
namespace {

struct Case {
    std::int64_t height;
    std::int64_t width;
    std::int64_t scale;
    double motion;   // pixels
};

BlendInputs inputs_for(const Case& size, const at::Tensor& frame) {
    BlendInputs inputs;
    inputs.history = (frame + at::randn(frame.sizes()) * 0.02).clamp(-0.1, 1.1);
    inputs.flow = at::randn({2, size.height, size.width}) * size.motion;
    inputs.light = at::tensor({0.9F, 0.05F});
    inputs.weight = at::rand({size.height, size.width}) * at::rand({size.height, size.width}).round();
    inputs.still = at::rand({size.height, size.width}) < 0.3;
    return inputs;
}

TEST(CpuBlend, equals_the_reference_within_rounding) {
    at::manual_seed(1);
    for (const Case& size : {Case{16, 16, 1, 1}, {45, 63, 2, 3}, {33, 70, 3, 0.4}, {20, 9, 4, 30}, {64, 64, 2, 1e6}}) {
        const at::Tensor coarse = at::rand({1, 3, size.height * size.scale / 2 + 1, size.width * size.scale / 2 + 1});
        const at::Tensor frame =
            at::upsample_bilinear2d(coarse, {size.height * size.scale, size.width * size.scale}, false).squeeze(0);
        const BlendInputs inputs = inputs_for(size, frame);
        at::Tensor expected = frame.clone();
        reference_blend(expected, inputs);
        CpuBlend blend;
        at::Tensor result = frame.clone();
        blend.blend(result, inputs);
        const at::Tensor difference = (result - expected).abs();
        EXPECT_LT(difference.max().item<double>(), 1.0 / 1020) << size.height << "x" << size.width;
        EXPECT_LT(difference.mean().item<double>(), 1e-5);
        at::Tensor again = frame.clone();
        blend.blend(again, inputs);
        EXPECT_TRUE(at::equal(again, result)) << "scratch memory must not matter";
    }
}

TEST(CpuBlend, does_not_depend_on_the_number_of_threads) {
    at::manual_seed(2);
    const at::Tensor frame = at::rand({3, 300, 200});
    const BlendInputs inputs = inputs_for({150, 100, 2, 2}, frame);
    const int threads = at::get_num_threads();
    at::Tensor results[2] = {frame.clone(), frame.clone()};
    for (const int count : {1, 5}) {
        at::set_num_threads(count);
        CpuBlend().blend(results[count / 5], inputs);
    }
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(results[0], results[1]));
}

TEST(CpuBlend, copies_still_pixels_bit_for_bit) {
    at::manual_seed(3);
    at::Tensor frame = at::rand({3, 80, 96});
    BlendInputs inputs = inputs_for({40, 48, 2, 2}, frame);
    inputs.still.fill_(true);
    CpuBlend().blend(frame, inputs);
    EXPECT_TRUE(at::equal(frame, inputs.history));
}

}   // namespace
}   // namespace millstream
