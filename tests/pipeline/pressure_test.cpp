// The monitor, its levels and the enhancer together: other programs take the memory of a test device away.
#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/bytes.h"
#include "enhance/steady_enhancer.h"
#include "model/counted_device.h"
#include "model/networks.h"
#include "resource/monitor.h"

namespace millstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Size kFrame{40, 28};
constexpr int kQuiet = 6;
constexpr int kFramesAtEach = 10;

struct Watched {
    std::vector<at::Tensor> outputs;
    std::vector<std::string> warnings;
    std::vector<std::string> measures;
    std::vector<int> requests;   // behind each step of what others use
};

// An enhancer with a test device, and what watches it.
struct Rig {
    Rig(CountedMemory& memory, int requests)
        : device(std::make_shared<CountedDevice>(memory, true)),
          monitor(
              {.thresholds = {}, .planned = {}},
              [this] {
                  ResourceSnapshot figures;
                  figures.time_s = static_cast<double>(frames.load());
                  figures.vram_bytes = device->held_bytes();
                  figures.vram_used_bytes = used;
                  figures.vram_total_bytes = kTotal;
                  return figures;
              },
              frames, notices) {
        settings.executor = {
            .backend = Backend::torch, .precision = Precision::fp32, .threads = 1, .requests = requests};
        settings.executor.device = "cuda:0";
        settings.executor.links = {device};
        settings.scale = 2;
        settings.frame = kFrame;
        settings.layout = {kFrame, 2, 0};
        surroundings.make_executor = [this](const ExecutorSettings& wanted) { return make_executor(network, wanted); };
        surroundings.make_output = [](Size size) { return at::empty({3, size.height, size.width}); };
    }

    static constexpr std::uint64_t kTotal = 100 * kMiB;
    std::uint64_t used = 0;   // of the device, by all programs
    std::shared_ptr<CountedDevice> device;
    const Network network = chain({conv(3, 8, 3), prelu(8), conv(8, 12, 3), shuffle(2)});
    Notices notices;
    std::atomic<std::int64_t> frames{0};
    ResourceMonitor monitor;
    SteadyEnhancer::Settings settings;
    SteadyEnhancer::Surroundings surroundings;
};

// `percent`: of the device that is in use, one value after the other.
Watched run(CountedMemory& memory, const std::vector<std::uint64_t>& percent) {
    Watched watched;
    Rig rig(memory, 4);
    rig.settings.quiet_frames = kQuiet;
    rig.surroundings.pressure = [&] { return rig.monitor.level(); };
    rig.surroundings.tell = [&](const BackOff& back_off) { watched.measures.push_back(back_off.measure); };
    at::manual_seed(2);
    SteadyEnhancer enhancer(rig.settings, rig.surroundings);
    for (const std::uint64_t step : percent) {
        rig.used = step * Rig::kTotal / 100;
        for (int i = 0; i < kFramesAtEach; ++i) {
            rig.monitor.sample();
            enhancer.submit(rig.frames++, at::rand({3, kFrame.height, kFrame.width}));
            watched.outputs.push_back(enhancer.drain()->output.clone());
        }
        watched.requests.push_back(enhancer.effort().requests);
        for (const Notice& notice : rig.notices.take()) {
            if (notice.severity == Severity::warning) {
                watched.warnings.push_back(notice.text);
            }
        }
    }
    return watched;
}

TEST(Pressure, r3_4_others_that_take_vram_away_and_give_it_back_cost_speed_for_that_while_and_nothing_else) {
    CountedMemory memory;
    const Watched calm = run(memory, {50, 50, 50, 50});
    const Watched pressed = run(memory, {79, 81, 93, 70});
    EXPECT_TRUE(calm.warnings.empty());
    EXPECT_THAT(calm.measures, ElementsAre());
    EXPECT_THAT(pressed.warnings, ElementsAre(HasSubstr("VRAM is getting short"), HasSubstr("VRAM is short")));
    EXPECT_EQ(pressed.requests[0], 4);
    EXPECT_EQ(pressed.requests[1], 4) << "elevated: only caches are given back";
    EXPECT_LT(pressed.requests[2], 4) << "critical: less at a time";
    EXPECT_GT(pressed.requests[3], pressed.requests[2]) << "and more again when it is over";
    EXPECT_THAT(pressed.measures, testing::Contains("fewer requests"));
    EXPECT_EQ(pressed.measures.back(), "taken back");
    ASSERT_EQ(pressed.outputs.size(), calm.outputs.size());
    for (std::size_t i = 0; i < calm.outputs.size(); ++i) {
        EXPECT_TRUE(at::equal(pressed.outputs[i], calm.outputs[i])) << "frame " << i;
    }
}

// Sampled with a frame in hand and behind it, as often as there are frames.
std::vector<CurvePoint> curve_of(CountedMemory& memory, bool release_every_frame, int& releases) {
    Rig rig(memory, 2);
    rig.settings.release_every_frame = release_every_frame;
    rig.surroundings.release_caches = [&] { ++releases; };
    SteadyEnhancer enhancer(rig.settings, rig.surroundings);
    constexpr int kFrames = 200;
    for (int i = 0; i < kFrames; ++i) {
        {
            enhancer.submit(i, at::rand({3, kFrame.height, kFrame.width}));
            const auto done = enhancer.drain();
            rig.monitor.sample();
        }
        ++rig.frames;
        rig.monitor.sample();
    }
    return rig.monitor.curve();
}

TEST(Pressure, r3_5_vram_rises_with_each_frame_and_falls_behind_it_without_a_trend_whenever_caches_go_back) {
    for (const bool every_frame : {true, false}) {
        CountedMemory memory;
        int releases = 0;
        const std::vector<CurvePoint> curve = curve_of(memory, every_frame, releases);
        EXPECT_EQ(releases, every_frame ? 200 : 0);
        ASSERT_GT(curve.size(), 40U);
        std::uint64_t most = 0;
        std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
        double moment = 0;   // of frames and bytes about their means: of the sign of the trend
        double mean = 0;
        for (const CurvePoint& point : curve) {
            most = std::max(most, *point.vram_bytes);
            least = std::min(least, *point.vram_min_bytes);
            mean += static_cast<double>(*point.vram_bytes) / static_cast<double>(curve.size());
        }
        double squares = 0;
        for (const CurvePoint& point : curve) {
            const double frame = static_cast<double>(point.frames) - static_cast<double>(curve.back().frames) / 2;
            moment += frame * (static_cast<double>(*point.vram_bytes) - mean);
            squares += frame * frame;
        }
        const auto frame_bytes = static_cast<std::uint64_t>(3 * kFrame.width * kFrame.height) * sizeof(float);
        EXPECT_GE(most, least + frame_bytes) << "it falls behind a frame by its input at least";
        EXPECT_LT(std::abs(moment / squares), static_cast<double>(frame_bytes) / 1000) << "bytes a frame";
    }
}

}   // namespace
}   // namespace millstream
