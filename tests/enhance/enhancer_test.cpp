#include "enhance/enhancer.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "enhance/box_executor.h"

namespace millstream {
namespace {

std::vector<at::Tensor> enhance_all(std::size_t requests, Size frame, const TileLayout& layout,
                                    const std::vector<at::Tensor>& inputs) {
    constexpr int kScale = 2;
    BoxExecutor executor(requests, kScale);
    Enhancer enhancer(executor, kScale, layout);
    std::vector<at::Tensor> outputs;
    const auto take = [&](std::optional<EnhancerFrame> done) {
        if (!done) {
            return false;
        }
        EXPECT_EQ(done->index, static_cast<std::int64_t>(outputs.size())) << "out of order";
        outputs.push_back(done->output);
        return true;
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        enhancer.submit({static_cast<std::int64_t>(i), inputs[i],
                         at::full({3, frame.height * kScale, frame.width * kScale}, -1.0F)});
        while (take(enhancer.poll())) {
        }
    }
    while (take(enhancer.drain())) {
    }
    return outputs;
}

std::vector<at::Tensor> random_frames(Size frame, int count) {
    at::manual_seed(1);
    std::vector<at::Tensor> frames;
    for (int i = 0; i < count; ++i) {
        frames.push_back(at::rand({3, frame.height, frame.width}));
    }
    return frames;
}

TEST(Enhancer, tiles_with_the_full_halo_equal_the_whole_frame_bit_for_bit) {
    const Size frame{53, 37};
    const auto inputs = random_frames(frame, 5);
    const auto whole = enhance_all(2, frame, {frame, 1, 0}, inputs);
    ASSERT_EQ(whole.size(), inputs.size());
    for (const int tile : {3, 4, 7, 16, 36, 52}) {
        const auto tiled = enhance_all(3, frame, {{tile, tile}, 1, 0}, inputs);
        ASSERT_EQ(tiled.size(), inputs.size());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            EXPECT_TRUE(at::equal(tiled[i], whole[i])) << "tile " << tile << " frame " << i;
        }
    }
}

TEST(Enhancer, blended_tiles_leave_no_pixel_without_its_full_weight) {
    const Size frame{61, 47};
    const auto inputs = random_frames(frame, 2);
    const auto whole = enhance_all(1, frame, {frame, 0, 0}, inputs);
    const auto blended = enhance_all(2, frame, {{24, 24}, 5, 3}, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        EXPECT_LT((blended[i] - whole[i]).abs().max().item<float>(), 1e-5F);
    }
}

TEST(Enhancer, whole_frames_are_not_copied_and_tiles_once_each_way) {
    BoxExecutor executor(2, 1);
    for (const auto& [tile, copies] : {std::pair{40, 0.0}, std::pair{16, 2.0}}) {
        Enhancer enhancer(executor, 1, {{tile, tile}, 1, 0});
        enhancer.submit({0, at::rand({3, 40, 40}), at::empty({3, 40, 40})});
        EXPECT_TRUE(enhancer.drain());
        EXPECT_DOUBLE_EQ(enhancer.copies(), copies);
    }
}

}   // namespace
}   // namespace millstream
