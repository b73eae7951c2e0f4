// How long chunks are, and what the plan says of them and of the size.
#include "pipeline/chunk_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace millstream {
namespace {

PreparedJob job_at(Rational rate) {
    PreparedJob job;
    job.encoder.frame_rate = rate;
    return job;
}

PreparedJob planned(double seconds_per_frame, const ChunkLength& chunk = {}) {
    PreparedJob job = job_at({24, 1});
    job.plan.options.chunk = chunk;
    plan_chunks(job, seconds_per_frame);
    return job;
}

TEST(Chunks, are_eight_seconds_of_video_or_a_minute_of_work) {
    EXPECT_EQ(planned(0).chunk_frames, 192) << "the network's speed is not known";
    EXPECT_EQ(planned(0).chunk_wall_s, 0);
    EXPECT_EQ(planned(0.1).chunk_frames, 192);
    EXPECT_DOUBLE_EQ(planned(0.1).chunk_wall_s, 19.2);
    EXPECT_EQ(planned(1).chunk_frames, 60);
    EXPECT_TRUE(planned(1).plan.notes.empty());
    PreparedJob film = job_at({24000, 1001});
    plan_chunks(film, 0);
    EXPECT_EQ(film.chunk_frames, 192);
}

TEST(Chunks, have_24_frames_at_least_and_the_plan_says_where_that_is_more_than_a_minute) {
    const PreparedJob slow = planned(10);
    EXPECT_EQ(slow.chunk_frames, 24);
    EXPECT_DOUBLE_EQ(slow.chunk_wall_s, 240);
    ASSERT_EQ(slow.plan.notes.size(), 1U);
    EXPECT_NE(slow.plan.notes.front().find("about 240 s of work"), std::string::npos);
    EXPECT_EQ(planned(0, {ChunkLength::Kind::frames, 0, 5}).chunk_frames, 24);
}

TEST(Chunks, are_as_long_as_asked_whatever_the_speed) {
    EXPECT_EQ(planned(1, {ChunkLength::Kind::frames, 0, 200}).chunk_frames, 200);
    EXPECT_EQ(planned(1, {ChunkLength::Kind::seconds, 4, 0}).chunk_frames, 96);
    EXPECT_EQ(planned(1, {ChunkLength::Kind::frames, 0, 200}).plan.notes.size(), 1U) << "200 s of work";
}

TEST(Size, is_steered_from_64_kib_of_input_on_and_the_plan_says_where_it_is_not) {
    PreparedJob job = job_at({24, 1});
    job.encoder.encoder = "libx264";
    job.plan.container = "matroska";
    job.source.streams.emplace_back().video.emplace();
    job.source.video_stream = 0;
    job.source.duration_s = 10;
    job.source.bytes = 64 * kKiB - 1;
    plan_size(job);
    EXPECT_FALSE(job.steers_size);
    ASSERT_EQ(job.plan.notes.size(), 1U);
    EXPECT_NE(job.plan.notes.front().find("--max-total is not kept"), std::string::npos);
    job.source.bytes = 100 * kKiB;
    plan_size(job);
    EXPECT_TRUE(job.steers_size);
    EXPECT_EQ(job.plan.notes.size(), 1U);
    EXPECT_EQ(job.plan.disk.most_output, 2 * job.source.bytes);
    EXPECT_GE(video_bytes_left(job, 10 * kMiB), 64 * kKiB) << "a few frames are not squeezed to nothing";
}

TEST(Size, costs_quality_that_is_told_where_it_is_seen) {
    EXPECT_EQ(lowered_quality(18, {}), "");
    EXPECT_EQ(lowered_quality(18, {18, 19, 21}), "");
    EXPECT_EQ(lowered_quality(18, {18, 22, 20}),
              "to keep --max-total chunks were encoded with crf 18 to 22 instead of 18");
    EXPECT_EQ(lowered_quality(18, {30}), "to keep --max-total chunks were encoded with crf 30 instead of 18");
}

}   // namespace
}   // namespace millstream
