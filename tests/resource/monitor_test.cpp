#include "resource/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/bytes.h"

namespace millstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A monitor whose figures come from the test.
struct Watched {
    ResourceSnapshot figures;
    std::atomic<std::int64_t> frames{0};
    Notices notices;
    ResourceMonitor monitor;

    explicit Watched(PlannedMemory planned = {})
        : monitor(
              {.thresholds = {}, .planned = planned}, [this] { return figures; }, frames, notices) {}

    std::vector<std::string> texts(Severity severity) {
        std::vector<std::string> texts;
        for (const Notice& notice : notices.take()) {
            if (notice.severity == severity) {
                texts.push_back(notice.text);
            }
        }
        return texts;
    }
};

TEST(ResourceMonitor, r7_2_each_level_is_warned_of_once_however_many_samples) {
    Watched watched;
    watched.figures.cgroup_limit_bytes = 100 * kGiB;
    std::vector<PressureLevel> levels;
    std::vector<std::string> warnings;
    for (const std::uint64_t percent : {79, 81, 93, 70}) {
        watched.figures.cgroup_used_bytes = percent * kGiB;
        for (int sample = 0; sample < 20; ++sample) {
            watched.monitor.sample();
        }
        levels.push_back(watched.monitor.level());
        for (std::string& text : watched.texts(Severity::warning)) {
            warnings.push_back(std::move(text));
        }
    }
    EXPECT_THAT(levels, ElementsAre(PressureLevel::normal, PressureLevel::elevated, PressureLevel::critical,
                                    PressureLevel::normal));
    EXPECT_THAT(warnings, ElementsAre(HasSubstr("caches are given back: 81 GiB of the 100 GiB of this container"),
                                      HasSubstr("less is done at a time: 93 GiB of the 100 GiB of this container")));
}

TEST(ResourceMonitor, r3_4_vram_has_levels_of_its_own) {
    Watched watched;
    watched.figures.vram_total_bytes = 100 * kGiB;
    for (const std::uint64_t percent : {79, 81, 93}) {
        watched.figures.vram_used_bytes = percent * kGiB;
        watched.monitor.sample();
    }
    EXPECT_EQ(watched.monitor.latest().vram_level, PressureLevel::critical);
    EXPECT_EQ(watched.monitor.latest().memory_level, PressureLevel::normal);
    EXPECT_EQ(watched.monitor.level(), PressureLevel::critical);
    EXPECT_EQ(watched.texts(Severity::warning).size(), 2U);
    watched.figures.vram_used_bytes = 70 * kGiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::normal);
    EXPECT_THAT(watched.texts(Severity::info), ElementsAre(HasSubstr("VRAM is no longer short")));
}

TEST(ResourceMonitor, a_share_that_wavers_around_a_threshold_changes_nothing) {
    Watched watched;
    watched.figures.memory_total_bytes = 1000 * kGiB;
    for (int sample = 0; sample < 50; ++sample) {
        watched.figures.memory_available_bytes = (sample % 2 == 0 ? 210 : 190) * kGiB;
        watched.monitor.sample();
    }
    EXPECT_EQ(watched.texts(Severity::warning).size(), 1U);
    EXPECT_EQ(watched.monitor.level(), PressureLevel::elevated);
}

TEST(ResourceMonitor, a_run_that_uses_what_it_planned_is_normal_however_near_its_budget) {
    Watched watched({.expected = 990 * kMiB, .budget = kGiB, .vram_expected = 0, .vram_budget = {}});
    watched.figures.rss_bytes = 985 * kMiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::normal);
    watched.figures.rss_bytes = 1000 * kMiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::elevated);
    watched.figures.rss_bytes = 1030 * kMiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::critical);
    EXPECT_THAT(watched.texts(Severity::warning).back(), HasSubstr("planned to use 990 MiB of a budget of 1 GiB"));
}

TEST(ResourceMonitor, needing_more_than_planned_is_no_pressure_on_a_budget_that_is_hardly_touched) {
    Watched watched({.expected = 600 * kMiB, .budget = 10 * kGiB, .vram_expected = 0, .vram_budget = {}});
    watched.figures.rss_bytes = 7 * kGiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::normal);
    watched.figures.rss_bytes = 9 * kGiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::elevated);
}

TEST(ResourceMonitor, the_curve_stays_short_and_keeps_every_peak) {
    Watched watched;
    constexpr int kSamples = 5000;
    constexpr std::uint64_t kPeak = 7777;
    for (int i = 0; i < kSamples; ++i) {
        watched.figures.time_s = i;
        watched.figures.rss_bytes = i == 1234 ? kPeak : 1000;
        watched.frames = 10 * i;
        watched.monitor.sample();
    }
    const auto& curve = watched.monitor.curve();
    EXPECT_LE(curve.size(), ResourceMonitor::kMostPoints);
    EXPECT_GT(curve.size(), ResourceMonitor::kMostPoints / 4);
    EXPECT_EQ(std::count_if(curve.begin(), curve.end(), [](const CurvePoint& p) { return p.rss_bytes == kPeak; }), 1);
    for (std::size_t i = 1; i < curve.size(); ++i) {
        EXPECT_GT(curve[i].time_s, curve[i - 1].time_s);
        EXPECT_NEAR(curve[i].fps, 10, 1e-9) << i;
    }
    EXPECT_NEAR(static_cast<double>(watched.monitor.mean_rss()), 1001, 1);
}

TEST(ResourceMonitor, r3_4_a_run_that_fills_a_device_as_planned_is_normal_until_others_take_of_it) {
    Watched watched({.expected = 0, .budget = 0, .vram_expected = 3550 * kMiB, .vram_budget = 3600 * kMiB});
    watched.figures.vram_total_bytes = 8000 * kMiB;
    watched.figures.vram_bytes = 3540 * kMiB;
    watched.figures.vram_used_bytes = (4000 + 3540) * kMiB;   // 94 % of the device, as planned
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::normal);
    EXPECT_TRUE(watched.texts(Severity::warning).empty());
    watched.figures.vram_used_bytes = (4350 + 3540) * kMiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::elevated) << "3650 MiB are left, 3550 are wanted";
    watched.figures.vram_bytes = 2000 * kMiB;
    watched.figures.vram_used_bytes = (5000 + 2000) * kMiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::critical) << "3000 MiB are left";
    watched.figures.vram_used_bytes = (1000 + 2000) * kMiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::normal);
    watched.figures.vram_bytes = 3610 * kMiB;
    watched.figures.vram_used_bytes = (1000 + 3610) * kMiB;
    watched.monitor.sample();
    EXPECT_EQ(watched.monitor.level(), PressureLevel::critical) << "more than the budget";
}

TEST(ResourceMonitor, a_point_of_the_curve_knows_the_least_that_was_in_use_too) {
    Watched watched;
    constexpr int kSamples = 3 * static_cast<int>(ResourceMonitor::kMostPoints);
    for (int i = 0; i < kSamples; ++i) {
        watched.figures.time_s = i;
        watched.figures.rss_bytes = i % 2 == 0 ? 500 : 900;
        watched.figures.vram_bytes = i % 2 == 0 ? 50 : 90;
        watched.monitor.sample();
    }
    for (const CurvePoint& point : watched.monitor.curve()) {
        EXPECT_EQ(point.rss_min_bytes, 500U);
        EXPECT_EQ(point.rss_bytes, 900U);
        EXPECT_EQ(point.vram_min_bytes, 50U);
        EXPECT_EQ(point.vram_bytes, 90U);
    }
}

TEST(Sampler, samples_at_once_and_at_the_end) {
    Watched watched;
    watched.figures.rss_bytes = 5;
    { const Sampler sampler(watched.monitor, std::chrono::hours(1)); }
    EXPECT_EQ(watched.monitor.latest().rss_bytes, 5U);
    EXPECT_GE(watched.monitor.curve().size(), 1U);
}

TEST(Published, readers_never_see_half_of_a_value) {
    struct Pair {
        std::uint64_t a = 0;
        std::uint64_t pad[30] = {};
        std::uint64_t b = 0;
    };
    Published<Pair> shared;
    std::atomic<bool> ended{false};
    std::thread writer([&] {
        for (std::uint64_t i = 1; i <= 20000; ++i) {
            Pair pair;
            pair.a = i;
            pair.b = i;
            shared.set(pair);
        }
        ended = true;
    });
    std::uint64_t last = 0;
    while (!ended) {
        const Pair seen = shared.get();
        ASSERT_EQ(seen.a, seen.b);
        ASSERT_GE(seen.a, last);
        last = seen.a;
    }
    writer.join();
    EXPECT_EQ(shared.get().b, 20000U);
}

}   // namespace
}   // namespace millstream
