// The governor against made-up encoders: what they would take at a quality, and how they keep a rate.
#include "pipeline/size_governor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace millstream {
namespace {

struct Outcome {
    double bytes = 0;
    std::vector<int> crfs;
};

// `natural`: bytes that a second of the video takes at crf 18, by time.
Outcome encode(double limit, double duration, const std::function<double(double)>& natural, double expected = 1e6) {
    constexpr double kChunk = 8;
    SizeGovernor governor({static_cast<std::uint64_t>(limit), duration, 18, 51, expected}, {});
    Outcome outcome;
    for (double at = 0; at < duration; at += kChunk) {
        const double seconds = std::min(kChunk, duration - at);
        const ChunkRate rate = governor.next(seconds, static_cast<std::uint64_t>(outcome.bytes));
        double bytes = natural(at) * seconds * std::exp2((18 - rate.crf) / 6.0);
        if (rate.max_rate > 0) {
            const double most =
                static_cast<double>(rate.max_rate) * seconds + 0.9 * static_cast<double>(rate.max_buffer);
            bytes = std::min(bytes, most / 8);
        }
        governor.chunk_done(seconds, static_cast<std::uint64_t>(bytes), rate.crf);
        outcome.bytes += bytes;
        outcome.crfs.push_back(rate.crf);
    }
    return outcome;
}

TEST(SizeGovernor, leaves_alone_what_fits) {
    const Outcome outcome = encode(
        100e6, 600, [](double) { return 100e3; }, 120e3);
    EXPECT_EQ(outcome.crfs, std::vector<int>(outcome.crfs.size(), 18));
    EXPECT_NEAR(outcome.bytes, 60e6, 1e6);
    SizeGovernor governor({100'000'000, 600, 18, 51, 30e3}, {});
    EXPECT_EQ(governor.next(8, 0), (ChunkRate{18, 0, 0})) << "no bound where it is far away";
}

TEST(SizeGovernor, keeps_the_limit_and_uses_it) {
    for (const double excess : {1.3, 3.0, 20.0}) {
        const Outcome outcome = encode(20e6, 600, [&](double) { return excess * 20e6 / 600; });
        EXPECT_LE(outcome.bytes, 20e6) << excess;
        EXPECT_GE(outcome.bytes, 0.7 * 20e6) << excess;
    }
}

TEST(SizeGovernor, keeps_the_limit_where_the_rate_is_uneven) {
    const double limit = 20e6;
    const double even = limit / 600;
    const auto late = [&](double at) { return at > 500 ? 30 * even : 0.2 * even; };
    const auto early = [&](double at) { return at < 60 ? 30 * even : 0.2 * even; };
    const auto bursts = [&](double at) { return static_cast<int>(at / 8) % 5 == 0 ? 12 * even : 0.5 * even; };
    for (const std::function<double(double)>& natural : {std::function<double(double)>(late), {early}, {bursts}}) {
        EXPECT_LE(encode(limit, 600, natural).bytes, limit);
    }
}

TEST(SizeGovernor, changes_quality_smoothly_and_does_not_starve_the_end) {
    const Outcome outcome = encode(20e6, 600, [](double) { return 4 * 20e6 / 600; });
    for (std::size_t i = 4; i < outcome.crfs.size(); ++i) {
        EXPECT_LE(std::abs(outcome.crfs[i] - outcome.crfs[i - 1]), 2) << i;
    }
    EXPECT_LE(outcome.crfs.back(), outcome.crfs[outcome.crfs.size() / 2] + 2);
}

TEST(SizeGovernor, bounds_a_video_of_one_chunk) {
    const Outcome outcome = encode(1e6, 5, [](double) { return 5e6; });
    EXPECT_LE(outcome.bytes, 1e6);
    EXPECT_GE(outcome.bytes, 0.9e6);
}

TEST(SizeGovernor, goes_on_from_its_state) {
    const SizeGovernor::Limits limits{20'000'000, 600, 18, 51, 1e6};
    SizeGovernor first(limits, {});
    first.chunk_done(8, 1'000'000, 18);
    SizeGovernor second(limits, first.state());
    EXPECT_EQ(first.next(8, 1'000'000), second.next(8, 1'000'000));
}

}   // namespace
}   // namespace millstream
