#include "pipeline/memory_plan.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "model/counted_device.h"

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

class Deaf : public CountedDevice {
public:
    using CountedDevice::CountedDevice;
    bool limit(std::uint64_t /*bytes*/) override { return false; }
};

TEST(DeviceMemory, every_device_is_told_its_budget_and_one_that_cannot_be_is_said) {
    CountedMemory memory;
    ExecutorSettings settings;
    settings.links = {std::make_shared<CountedDevice>(memory)};
    EXPECT_FALSE(limit_devices(settings, kGiB));
    settings.links.insert(settings.links.begin(), std::make_shared<Deaf>(memory));
    const auto sentence = limit_devices(settings, 0);
    ASSERT_TRUE(sentence);
    EXPECT_NE(sentence->find("cannot be told"), std::string::npos);
    EXPECT_THROW(memory.allocate(1), c10::OutOfMemoryError) << "the one behind it has been told";
}

TEST(DeviceMemory, caches_go_back_behind_each_frame_where_it_is_asked_for_or_the_device_is_shared) {
    Options options;
    EXPECT_FALSE(releases_every_frame(options));
    options.max_vram = kGiB;
    EXPECT_TRUE(releases_every_frame(options));
    options.release = ReleasePolicy::on_pressure;
    EXPECT_FALSE(releases_every_frame(options));
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
    needs.temporal_apart = 5000;
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

// What runs on a device counts against its memory, what waits for it against the host's.
TEST(FitMemory, a_device_with_little_memory_gets_smaller_tiles_and_the_host_is_not_charged_for_them) {
    MemoryNeeds needs = needs_for({1920, 1080}, 6 * kGiB);
    needs.cost.fixed_bytes = 100 * kMiB;
    MemoryChoice smallest;
    const auto on_host = fit_memory(needs, smallest);
    needs.devices = 1;
    needs.vram_budget = 8 * kGiB;
    const auto roomy = fit_memory(needs, smallest);
    needs.vram_budget = 600 * kMiB;
    const auto tight = fit_memory(needs, smallest);
    ASSERT_TRUE(on_host && roomy && tight);
    EXPECT_EQ(on_host->memory.vram, 0U);
    EXPECT_EQ(roomy->memory.network, 0U) << "whole frames: nothing of the network is in the host's memory";
    EXPECT_LT(roomy->memory.base, on_host->memory.base) << "the weights are on the device";
    EXPECT_GT(roomy->memory.vram, 1920U * 1080U * 800U);
    EXPECT_LE(tight->memory.vram, needs.vram_budget);
    EXPECT_GT(tight->memory.vram, needs.cost.fixed_bytes);
    EXPECT_LT(tight->layout.tile.width, 1920);
}

TEST(FitMemory, buffers_between_host_and_device_are_counted) {
    MemoryNeeds needs = needs_for({640, 360}, 6 * kGiB);
    needs.batch = 2;
    needs.tile = 0;
    MemoryChoice smallest;
    const auto on_host = fit_memory(needs, smallest);
    needs.devices = 1;
    needs.vram_budget = 8 * kGiB;
    const auto sent = fit_memory(needs, smallest);
    needs.resident = true;
    const auto resident = fit_memory(needs, smallest);
    ASSERT_TRUE(on_host && sent && resident);
    EXPECT_EQ(sent->memory.frames - on_host->memory.frames,
              staging_bytes(needs.input_tensor) + staging_bytes(needs.output_tensor))
        << "tensors, each way";
    EXPECT_GE(resident->memory.frames, staging_bytes(needs.source_picture) + staging_bytes(needs.result_picture));
    EXPECT_LT(resident->memory.frames, sent->memory.frames) << "planes are smaller";
    EXPECT_GE(staging_bytes(100), 2 * 100U);
    needs.surfaces = 100 * kMiB;
    EXPECT_EQ(fit_memory(needs, smallest)->memory.vram, resident->memory.vram + needs.surfaces) << "the decoder's";
    needs.surfaces_read = 3;
    EXPECT_EQ(fit_memory(needs, smallest)->memory.vram,
              resident->memory.vram + needs.surfaces + 3 * needs.result_picture)
        << "the encoder's";
    needs.reuse = true;
    needs.reuse_work = kMiB;
    const auto reusing = fit_memory(needs, smallest);
    EXPECT_EQ(reusing->memory.reuse, 0U) << "not in the host's memory";
    EXPECT_GT(reusing->memory.vram, resident->memory.vram + 4 * needs.output_tensor);
}

TEST(FitMemory, two_devices_share_the_requests_and_each_needs_half) {
    MemoryNeeds needs = needs_for({640, 360}, 6 * kGiB);
    needs.vram_budget = 8 * kGiB;
    needs.batch = 4;
    MemoryChoice smallest;
    needs.devices = 1;
    const auto one = fit_memory(needs, smallest);
    needs.devices = 2;
    const auto two = fit_memory(needs, smallest);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(two->memory.vram * 2, one->memory.vram);
}

TEST(FitMemory, a_device_that_is_too_small_is_refused_with_what_would_do) {
    MemoryNeeds needs = needs_for({1920, 1080}, 6 * kGiB);
    needs.devices = 1;
    needs.vram_budget = kMiB;
    MemoryChoice smallest;
    EXPECT_FALSE(fit_memory(needs, smallest));
    needs.vram_budget = smallest.memory.vram;
    EXPECT_TRUE(fit_memory(needs, smallest));
}

TEST(VramBudget, is_what_the_user_allows_or_most_of_what_is_free_on_the_fullest_device) {
    const std::vector<DeviceInfo> devices{{"cuda:0", "", 8 * kGiB, 6 * kGiB}, {"cuda:1", "", 8 * kGiB, 2 * kGiB}};
    Options options;
    EXPECT_EQ(vram_budget(options, devices), static_cast<std::uint64_t>(0.9 * 2 * static_cast<double>(kGiB)));
    options.max_vram = kGiB;
    EXPECT_EQ(vram_budget(options, devices), kGiB);
    options.max_vram = 4 * kGiB;
    EXPECT_LT(vram_budget(options, devices), 2 * kGiB) << "others have the rest";
}

}   // namespace
}   // namespace millstream
