#include "verify/frame_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verify/planes.h"

namespace millstream {
namespace {

// Frame n of the source shows waves moved by n; frame n of the result shows what `shown` says.
VerifyCheck order_of(const std::vector<int>& shown, double step = 1) {
    Findings findings;
    FrameOrder order(findings);
    const auto count = static_cast<int>(shown.size());
    for (int n = 0; n < count; ++n) {
        const LumaPlane before = waves(step * (n - 1));
        const LumaPlane own = waves(step * n);
        const LumaPlane after = waves(step * (n + 1));
        const LumaPlane result =
            noisy(waves(step * shown[static_cast<std::size_t>(n)]), 0.02, static_cast<std::uint32_t>(n));
        order.add({n, n / 24.0, &result, &own, n > 0 ? &before : nullptr, n + 1 < count ? &after : nullptr});
    }
    order.finish();
    VerifyReport report;
    findings.fill(report);
    return report.checks.at(static_cast<std::size_t>(CheckKind::frame_order));
}

TEST(FrameOrder, is_silent_when_frames_are_in_order) {
    EXPECT_EQ(order_of({0, 1, 2, 3, 4, 5}).differences, 0);
    EXPECT_EQ(order_of({0, 1, 2, 3, 4, 5}).compared, 6);
}

TEST(FrameOrder, names_both_of_two_swapped_frames) {
    const VerifyCheck check = order_of({0, 1, 3, 2, 4, 5});
    ASSERT_EQ(check.examples.size(), 2U);
    EXPECT_EQ(check.examples[0].place, "frame 2 (0.083 s)");
    EXPECT_THAT(check.examples[0].result, testing::HasSubstr("the frame after it, 3"));
    EXPECT_THAT(check.examples[1].result, testing::HasSubstr("the frame before it, 2"));
}

TEST(FrameOrder, tells_a_shift_as_one_place_and_counts_its_frames) {
    const VerifyCheck check = order_of({0, 1, 1, 2, 3, 4});
    EXPECT_EQ(check.differences, 4);
    ASSERT_EQ(check.examples.size(), 1U);
    EXPECT_EQ(check.examples[0].place, "frames 2 to 5 (from 0.083 s)");
}

TEST(FrameOrder, is_silent_where_nothing_moves) {
    EXPECT_EQ(order_of({0, 0, 1, 2, 3, 3}, 0.0).differences, 0);
}

}   // namespace
}   // namespace millstream
