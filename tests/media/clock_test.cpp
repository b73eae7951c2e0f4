// Time stamps: repaired on the way in, mapped back from frame indices on the way out.
#include <gtest/gtest.h>

#include "media/clock_jumps.h"
#include "media/flv_clock.h"
#include "media/frame_clock.h"
#include "media/rising_pts.h"
#include "millstream/error.h"

namespace millstream {
namespace {

TEST(RisingPts, leaves_rising_time_stamps_alone) {
    RisingPts pts(40);
    for (const std::int64_t value : {-80, -40, 0, 1, 1000}) {
        EXPECT_EQ(pts.next(value), value);
    }
    EXPECT_EQ(pts.repaired(), 0);
}

TEST(RisingPts, puts_a_repeated_or_earlier_one_a_tick_later_and_an_absent_one_a_frame_later) {
    RisingPts pts(40);
    EXPECT_EQ(pts.next(100), 100);
    EXPECT_EQ(pts.next(100), 101);
    EXPECT_EQ(pts.next(60), 102);
    EXPECT_EQ(pts.next(std::nullopt), 142);
    EXPECT_EQ(pts.next(140), 143);
    EXPECT_EQ(pts.next(200), 200);
    EXPECT_EQ(pts.repaired(), 4);
}

TEST(FrameClock, maps_indices_back_and_extrapolates_before_the_first_frame) {
    FrameClock clock(40);
    for (const std::int64_t pts : {1000, 1010, 1090, 1100}) {
        clock.add(pts, 0);
    }
    EXPECT_EQ(clock.at(0), 1000);
    EXPECT_EQ(clock.at(3), 1100);
    EXPECT_EQ(clock.at(-2), 920);
    EXPECT_EQ(clock.duration_of(1), 80);
    EXPECT_EQ(clock.duration_of(3), 40) << "the last one has the nominal duration";
    EXPECT_EQ(clock.end(), 1140);
}

TEST(FrameClock, gives_the_last_frame_its_own_duration_where_it_has_one) {
    FrameClock clock(40);
    clock.add(0, 7);
    EXPECT_FALSE(clock.knows_next(0));
    EXPECT_EQ(clock.duration_of(0), 7);
    clock.add(40, 9);
    EXPECT_TRUE(clock.knows_next(0));
    EXPECT_EQ(clock.duration_of(0), 40);
    EXPECT_EQ(clock.end(), 49);
}

TEST(FrameClock, forgets_what_is_not_asked_for_any_more_and_refuses_to_guess) {
    FrameClock clock(40);
    const auto kept = static_cast<int>(FrameClock::kKept);
    for (int i = 0; i < 3 * kept; ++i) {
        clock.add(40 * i, 0);
    }
    clock.forget_below(kept);
    EXPECT_EQ(clock.at(kept), 40 * kept);
    EXPECT_THROW((void)clock.at(kept - 1), Error);
    EXPECT_THROW((void)clock.at(3 * kept), Error);
    clock.forget_below(3 * kept);
    EXPECT_EQ(clock.at(2 * kept), 80 * kept) << "the last ones stay";
    EXPECT_THROW(clock.add(40 * (3 * kept - 1), 0), Error) << "must rise";
}

TEST(FrameClock, goes_on_where_another_one_was) {
    FrameClock clock(40);
    for (int i = 0; i < 10; ++i) {
        clock.add(40 * i + 7, 0);
    }
    clock.expect(500);
    FrameClock later(40);
    later.resume(clock.count(), clock.first_pts(), clock.last(5), clock.last_duration());
    EXPECT_EQ(later.at(9), clock.at(9));
    EXPECT_EQ(later.at(-2), clock.at(-2));
    EXPECT_EQ(later.duration_of(9), 500 - (40 * 9 + 7));
    EXPECT_EQ(later.add(500, 0), 10);
    EXPECT_THROW((void)later.at(4), Error);
}

class ClockJumpsTest : public ::testing::Test {
protected:
    std::int64_t dts_of(int stream, std::int64_t dts) {
        const av::Packet packet = av::make_packet();
        packet->stream_index = stream;
        packet->dts = dts;
        packet->pts = dts + 100;
        packet->duration = 3000;
        jumps_.apply(*packet, {1, 90000});
        EXPECT_EQ(packet->pts - packet->dts, 100);
        return packet->dts;
    }

    ClockJumps jumps_;
};

TEST_F(ClockJumpsTest, goes_on_where_the_stream_was_after_a_jump_back) {
    EXPECT_EQ(dts_of(0, 9'000'000), 9'000'000);
    EXPECT_EQ(dts_of(0, 9'003'000), 9'003'000);
    EXPECT_EQ(dts_of(0, 90'000), 9'006'000);
    EXPECT_EQ(dts_of(0, 93'000), 9'009'000);
    EXPECT_EQ(jumps_.jumps(), 1);
}

TEST_F(ClockJumpsTest, shifts_all_streams_alike_and_knows_late_packets_of_the_old_clock) {
    dts_of(0, 9'000'000);
    dts_of(1, 9'001'000);
    EXPECT_EQ(dts_of(0, 90'000), 9'003'000);
    EXPECT_EQ(dts_of(1, 9'004'000), 9'004'000) << "still the old clock";
    EXPECT_EQ(dts_of(1, 94'000), 9'007'000) << "the same shift as stream 0";
    EXPECT_EQ(jumps_.jumps(), 1);
}

TEST_F(ClockJumpsTest, leaves_gaps_forward_and_small_steps_back_alone) {
    dts_of(0, 0);
    EXPECT_EQ(dts_of(0, 9'000'000), 9'000'000);
    EXPECT_EQ(dts_of(0, 8'990'000), 8'990'000);
    EXPECT_EQ(jumps_.jumps(), 0);
}

TEST(FlvClock, goes_on_where_31_or_32_bits_run_over) {
    constexpr std::int64_t kStart = (std::int64_t{1} << 31) - 380;
    EXPECT_EQ(unwrapped_flv_time(kStart, kStart), kStart);
    EXPECT_EQ(unwrapped_flv_time(2, kStart), kStart + 382);
    EXPECT_EQ(unwrapped_flv_time((std::int64_t{1} << 32) + 2, kStart), kStart + 382) << "as libavformat reads it";
}

TEST(FlvClock, leaves_times_of_a_clock_that_does_not_wrap_alone) {
    for (const std::int64_t time : {-380, -60'000, 0, 40, 1'500'000'000}) {
        EXPECT_EQ(unwrapped_flv_time(time, 0), time) << "a recording may begin at zero and go on where its source is";
    }
    EXPECT_EQ(unwrapped_flv_time(1'999'990'000, 2'000'000'000), 1'999'990'000);
}

}   // namespace
}   // namespace millstream
