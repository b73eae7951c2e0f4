// The CPU's own compensation against the reference in tensor operations.
#include "motion/compensation.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

namespace millstream {
namespace {

TEST(CpuCompensation, equals_the_reference_but_for_rounding) {
    at::manual_seed(1);
    for (const auto& [height, width] : {std::pair{16, 16}, {2, 3}, {9, 200}, {45, 63}, {100, 70}}) {
        const at::Tensor before = at::rand({1, 3, height, width});
        at::Tensor now = before.clone();
        now.narrow(2, 0, height / 2).add_(0.01);
        const at::Tensor light = at::tensor({0.9F, 0.05F});
        for (const double motion : {0.1, 2.0, 300.0}) {
            const at::Tensor flow = at::randn({1, 2, height, width}) * motion;
            const Motion expected = reference_compensation(now, before, flow, light);
            const Motion found = CpuCompensation().compensate(now, before, flow.clone(), light);
            EXPECT_TRUE(at::equal(found.flow, expected.flow)) << height << "x" << width;
            EXPECT_TRUE(at::allclose(found.warped, expected.warped, 0, 1e-4));
            EXPECT_TRUE(at::allclose(found.residual, expected.residual, 0, 1e-4));
            EXPECT_TRUE(at::allclose(found.difference, expected.difference, 0, 1e-4));
            EXPECT_TRUE(at::allclose(found.noise, expected.noise, 0, 1e-4));
            EXPECT_TRUE(at::equal(found.light, light));
            EXPECT_TRUE(at::equal(found.valid, expected.valid));
            EXPECT_TRUE(at::equal(found.still, expected.still));
            EXPECT_EQ(found.bytes(), expected.bytes());
            EXPECT_FALSE(found.cut);
        }
    }
}

}   // namespace
}   // namespace millstream
