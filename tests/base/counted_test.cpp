#include "base/counted.h"

#include <gtest/gtest.h>

namespace millstream {
namespace {

TEST(Counted, OneIsSingularAndEverythingElseIsNot) {
    EXPECT_EQ(counted(1, "frame was", "frames were"), "1 frame was");
    EXPECT_EQ(counted(0, "frame was", "frames were"), "0 frames were");
    EXPECT_EQ(counted(-1, "frame was", "frames were"), "-1 frames were");
    EXPECT_EQ(counted(21, "frame was", "frames were"), "21 frames were");
}

}   // namespace
}   // namespace millstream
