#include "base/bytes.h"

#include <gtest/gtest.h>

#include "millstream/error.h"

namespace millstream {
namespace {

TEST(Bytes, reads_numbers_with_and_without_suffix) {
    EXPECT_EQ(parse_bytes("4096"), 4096U);
    EXPECT_EQ(parse_bytes("2GiB"), 2 * kGiB);
    EXPECT_EQ(parse_bytes("1.5 GiB"), kGiB + kGiB / 2);
    EXPECT_EQ(parse_bytes("512M"), 512 * kMiB);
}

TEST(Bytes, refuses_what_is_no_amount) {
    for (const char* text : {"", "GiB", "-1", "1 parsec", "1e30 TiB", "nan", "12 GiBB"}) {
        EXPECT_THROW((void)parse_bytes(text), Error) << text;
    }
}

TEST(Bytes, writes_the_shortest_form) {
    EXPECT_EQ(format_bytes(17), "17 B");
    EXPECT_EQ(format_bytes(kGiB + kGiB / 2), "1.5 GiB");
    EXPECT_EQ(format_bytes(512 * kMiB), "512 MiB");
}

}   // namespace
}   // namespace millstream
