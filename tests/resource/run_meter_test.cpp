#include "resource/run_meter.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace millstream {
namespace {

using Time = SpeedMeter::Time;

Time at(double seconds) {
    return Time{} + std::chrono::duration_cast<Time::duration>(std::chrono::duration<double>(seconds));
}

// A load of 8 s, then frames in batches of 4 with 30 % jitter: no stage delivers evenly.
TEST(Eta, of_a_uniform_video_is_within_a_tenth_after_a_tenth) {
    constexpr int kFrames = 2000;
    std::mt19937 random(11);
    std::uniform_real_distribution<double> jitter(0.7, 1.3);
    std::vector<double> done;
    double time = 8;
    for (int frame = 0; frame < kFrames; ++frame) {
        time += frame % 4 == 0 ? 4 * 0.05 * jitter(random) : 0.0;
        done.push_back(time);
    }
    SpeedMeter meter({.frames = kFrames}, at(0));
    for (int frame = 0; frame < kFrames; ++frame) {
        const double now = done[static_cast<std::size_t>(frame)];
        meter.frame_done(frame + 1, 0, at(now));
        if (frame >= kFrames / 10 && frame < kFrames * 95 / 100) {
            const double truth = done.back() - now;
            ASSERT_TRUE(meter.eta_s(at(now)));
            ASSERT_NEAR(*meter.eta_s(at(now)), truth, 0.1 * truth) << frame;
        }
    }
    EXPECT_EQ(meter.eta_s(at(time)), 0.0);
    EXPECT_EQ(meter.fraction(), 1.0);
}

TEST(Eta, goes_by_time_stamps_where_the_frame_count_is_unknown) {
    SpeedMeter meter({.video_s = 60}, at(0));
    for (int frame = 1; frame <= 300; ++frame) {
        meter.frame_done(frame, frame / 10.0, at(frame * 0.5));   // 10 frames a second of video, 2 a second of work
    }
    EXPECT_NEAR(meter.fraction(), 0.5, 1e-9);
    EXPECT_NEAR(meter.eta_s(at(150)).value(), 150, 2);
}

TEST(Eta, is_absent_before_anything_is_known) {
    SpeedMeter meter({.frames = 100}, at(0));
    EXPECT_EQ(meter.eta_s(at(3)), std::nullopt);
    meter.frame_done(1, 0, at(4));
    EXPECT_EQ(meter.eta_s(at(4)), std::nullopt);
    SpeedMeter endless({}, at(0));
    for (int frame = 1; frame < 50; ++frame) {
        endless.frame_done(frame, frame, at(frame));
    }
    EXPECT_EQ(endless.eta_s(at(50)), std::nullopt);
    EXPECT_EQ(endless.fraction(), 0);
}

TEST(Eta, follows_a_run_that_becomes_slower) {
    SpeedMeter meter({.frames = 4000}, at(0));
    double time = 0;
    for (int frame = 1; frame <= 2000; ++frame) {
        time += frame <= 500 ? 0.1 : 0.2;
        meter.frame_done(frame, 0, at(time));
    }
    EXPECT_NEAR(meter.eta_s(at(time)).value(), 400, 8);
}

TEST(Eta, of_a_resumed_run_counts_only_what_is_left) {
    SpeedMeter meter({.frames = 1000}, at(0));
    meter.resumed_at(900, 30);
    EXPECT_NEAR(meter.fraction(), 0.9, 1e-9);
    for (int frame = 901; frame <= 950; ++frame) {
        meter.frame_done(frame, 0, at((frame - 900) * 0.5));
    }
    EXPECT_NEAR(meter.eta_s(at(25)).value(), 25, 1);
    EXPECT_NEAR(meter.fps_mean(at(25)), 2, 1e-9);
    EXPECT_NEAR(meter.fps(at(25)), 2, 0.1);
}

TEST(Fps, is_that_of_the_last_seconds_and_falls_to_zero_in_a_stall) {
    SpeedMeter meter({.frames = 100000}, at(0));
    int frame = 0;
    for (double time = 0.1; time <= 100; time += 0.1) {
        meter.frame_done(++frame, 0, at(time));
    }
    for (double time = 100.01; time <= 110; time += 0.01) {
        meter.frame_done(++frame, 0, at(time));
    }
    EXPECT_NEAR(meter.fps(at(110)), 100, 2);
    EXPECT_NEAR(meter.fps_mean(at(110)), 2000 / 110.0, 0.2);
    EXPECT_NEAR(meter.fps(at(112.5)), 50, 2);
    EXPECT_EQ(meter.fps(at(120)), 0);
}

TEST(Fps, is_right_at_thousands_of_frames_a_second_too) {
    SpeedMeter meter({}, at(0));
    for (int frame = 1; frame <= 50000; ++frame) {
        meter.frame_done(frame, 0, at(frame * 0.0002));
    }
    EXPECT_NEAR(meter.fps(at(10)), 5000, 50);
}

TEST(Fill, sets_what_the_meter_knows_and_nothing_else) {
    SpeedMeter meter({.frames = 100}, at(0));
    for (int frame = 1; frame <= 25; ++frame) {
        meter.frame_done(frame, 0, at(frame));
    }
    Progress progress;
    progress.rss_bytes = 77;
    meter.fill(progress, at(25));
    EXPECT_EQ(progress.frames_done, 25);
    EXPECT_EQ(progress.frames_total, 100);
    EXPECT_NEAR(progress.fraction, 0.25, 1e-9);
    EXPECT_NEAR(progress.fps, 1, 0.01);
    EXPECT_NEAR(progress.elapsed_s, 25, 1e-6);
    EXPECT_NEAR(progress.eta_s.value(), 75, 1);
    EXPECT_EQ(progress.rss_bytes, 77U);
}

}   // namespace
}   // namespace millstream
