#include "base/queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

namespace millstream {
namespace {

TEST(BoundedQueue, keeps_order_and_ends_when_closed) {
    BoundedQueue<int> queue(100);
    queue.push(1, 10);
    queue.push(2, 10);
    queue.close();
    EXPECT_EQ(queue.pop(), 1);
    EXPECT_EQ(queue.pop(), 2);
    EXPECT_EQ(queue.pop(), std::nullopt);
    EXPECT_FALSE(queue.push(3, 10));
}

TEST(BoundedQueue, never_holds_more_bytes_than_its_bound) {
    BoundedQueue<int> queue(100);
    std::jthread producer([&] {
        for (int i = 0; i < 1000; ++i) {
            queue.push(i, 30);
        }
        queue.close();
    });
    int expected = 0;
    while (const auto item = queue.pop()) {
        EXPECT_EQ(*item, expected++);
    }
    EXPECT_EQ(expected, 1000);
    EXPECT_LE(queue.peak_bytes(), 100U);
}

TEST(BoundedQueue, lets_an_item_larger_than_the_bound_through_alone) {
    BoundedQueue<int> queue(10);
    EXPECT_TRUE(queue.push(1, 1000));
    EXPECT_EQ(queue.pop(), 1);
}

TEST(BoundedQueue, a_failure_reaches_both_sides) {
    BoundedQueue<int> queue(10);
    queue.push(1, 10);
    auto blocked = std::async(std::launch::async, [&] { queue.push(2, 10); });
    queue.fail(std::make_exception_ptr(std::runtime_error("decoder")));
    EXPECT_THROW(blocked.get(), std::runtime_error);
    EXPECT_THROW((void)queue.pop(), std::runtime_error);
}

}   // namespace
}   // namespace millstream
