// The window for networks that take several frames, with a made-up network that takes three.
#include "temporal/triplets.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "millstream/error.h"

namespace millstream {
namespace {

constexpr std::size_t kUnbounded = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kFrameBytes = 3 * 4 * 4 * sizeof(float);

at::Tensor frame(double value) {
    return at::full({3, 4, 4}, value);
}

// Stands in for a network of three frames: their values as one number, 100 * previous + 10 * current + next.
double network(const Triplet& triplet) {
    return (triplet.previous * 100 + triplet.current * 10 + triplet.next)[0][0][0].item<double>();
}

std::vector<double> run(TripletWindow& window, const std::vector<double>& frames, std::size_t scene_start) {
    std::vector<double> results;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        if (const auto triplet = window.push(frame(frames[i]), i == 0 || i == scene_start)) {
            results.push_back(network(*triplet));
        }
    }
    while (const auto triplet = window.finish()) {
        results.push_back(network(*triplet));
    }
    return results;
}

TEST(TripletWindow, offers_every_frame_once_between_its_neighbours) {
    TripletWindow window(kUnbounded);
    EXPECT_EQ(run(window, {1, 2, 3, 4}, 99), (std::vector<double>{112, 123, 234, 344}));
    EXPECT_EQ(window.bytes(), 0U);
}

TEST(TripletWindow, never_looks_across_a_scene_cut) {
    TripletWindow window(kUnbounded);
    EXPECT_EQ(run(window, {1, 2, 7, 8}, 2), (std::vector<double>{112, 122, 778, 788}));
}

TEST(TripletWindow, a_single_frame_is_its_own_neighbour) {
    TripletWindow window(kUnbounded);
    EXPECT_EQ(run(window, {5}, 99), (std::vector<double>{555}));
    EXPECT_TRUE(run(window, {}, 99).empty());
}

TEST(TripletWindow, holds_no_more_than_three_frames) {
    TripletWindow window(kUnbounded);
    for (int i = 0; i < 100; ++i) {
        window.push(frame(i), false);
        EXPECT_LE(window.bytes(), 3 * kFrameBytes);
    }
}

TEST(TripletWindow, gives_up_the_predecessor_where_bytes_are_short) {
    TripletWindow window(2 * kFrameBytes);
    EXPECT_EQ(run(window, {1, 2, 3}, 99), (std::vector<double>{112, 223, 233}));
}

TEST(TripletWindow, refuses_where_two_frames_do_not_fit) {
    TripletWindow window(kFrameBytes);
    window.push(frame(1), true);
    EXPECT_THROW(window.push(frame(2), false), Error);
}

}   // namespace
}   // namespace millstream
