#include "pipeline/memory_plan.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace millstream {
namespace {

MemoryNeeds needs_for(Size frame, std::uint64_t budget) {
    MemoryNeeds needs;
    const auto pixels = static_cast<std::uint64_t>(frame.width) * static_cast<std::uint64_t>(frame.height);
    needs.budget = budget;
    needs.base = 300 * kMiB;
    needs.decoder = 16 * pixels;
    needs.encoder = 200 * kMiB;
    needs.source_picture = pixels * 3 / 2;
    needs.input_tensor = pixels * 12;
    needs.output_tensor = pixels * 48;
    needs.result_picture = pixels * 6;
    needs.cost.bytes_per_pixel = 800;
    needs.frame = frame;
    needs.scale = 2;
    needs.halo = 19;
    needs.threads = 2;
    return needs;
}

TEST(FitMemory, a_small_frame_is_not_tiled_and_uses_every_core) {
    MemoryChoice smallest;
    const auto choice = fit_memory(needs_for({640, 360}, 4 * kGiB), smallest);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->layout.tile, (Size{640, 360}));
    EXPECT_EQ(choice->requests, 2);
    EXPECT_EQ(choice->joining, Joining::separate);
}

TEST(FitMemory, the_choice_never_exceeds_the_budget_and_grows_with_it) {
    double area_before = 1e30;
    for (const std::uint64_t budget : {kGiB, 3 * kGiB / 2, 2 * kGiB, 3 * kGiB, 6 * kGiB}) {
        const MemoryNeeds needs = needs_for({1920, 1080}, budget);
        MemoryChoice smallest;
        const auto choice = fit_memory(needs, smallest);
        ASSERT_TRUE(choice) << budget;
        EXPECT_LE(choice->memory.expected(), budget);
        const Size tile = choice->layout.tile;
        const auto tiles = cut_tiles(needs.frame, choice->layout).size();
        const double area = static_cast<double>(tiles) * tile.width * tile.height;
        EXPECT_LE(area, area_before * 1.06) << "more memory must not mean more work";
        area_before = area;
    }
}

TEST(FitMemory, what_cannot_fit_is_refused_with_a_budget_that_would_do) {
    MemoryNeeds needs = needs_for({3840, 2160}, 512 * kMiB);
    MemoryChoice smallest;
    EXPECT_FALSE(fit_memory(needs, smallest));
    EXPECT_GT(smallest.memory.expected(), needs.budget);
    needs.budget = smallest.memory.expected();
    EXPECT_TRUE(fit_memory(needs, smallest));
}

TEST(FitMemory, a_job_of_one_frame_gives_it_every_thread) {
    MemoryNeeds needs = needs_for({640, 360}, 4 * kGiB);
    needs.frames = 1;
    MemoryChoice smallest;
    EXPECT_EQ(fit_memory(needs, smallest)->requests, 1);
}

TEST(FitMemory, history_and_motion_are_counted) {
    MemoryNeeds needs = needs_for({640, 360}, 4 * kGiB);
    MemoryChoice smallest;
    EXPECT_EQ(fit_memory(needs, smallest)->memory.temporal, 0U);
    needs.motion = 1000;
    needs.temporal_work = 5000;
    const auto choice = fit_memory(needs, smallest);
    ASSERT_TRUE(choice);
    EXPECT_GE(choice->memory.temporal, needs.input_tensor + needs.output_tensor + 5000 + 2 * 1000);
    EXPECT_EQ(choice->input_queue, needs.input_tensor + 1000);
}

TEST(FitMemory, the_users_tile_and_batch_are_kept) {
    MemoryNeeds needs = needs_for({1920, 1080}, 8 * kGiB);
    needs.tile = 256;
    needs.batch = 3;
    MemoryChoice smallest;
    const auto choice = fit_memory(needs, smallest);
    ASSERT_TRUE(choice);
    EXPECT_LE(choice->layout.tile.width, 256);
    EXPECT_LE(choice->layout.tile.height, 256);
    EXPECT_EQ(choice->requests, 3);
}

}   // namespace
}   // namespace millstream
