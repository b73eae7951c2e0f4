// The forms in which packets of different containers are compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/packet_reader.h"

namespace millstream {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes units(const Bytes& packet, int length_size) {
    return nal_units(packet.data(), packet.size(), length_size);
}

TEST(NalUnits, are_the_same_behind_start_codes_and_behind_lengths) {
    const Bytes annex_b = {0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x65, 9, 8, 7};
    const Bytes lengths = {0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 4, 0x65, 9, 8, 7};
    EXPECT_EQ(units(annex_b, 0), lengths);
    EXPECT_EQ(units(lengths, 4), lengths);
    EXPECT_EQ(units({0, 3, 0x67, 1, 2, 0, 4, 0x65, 9, 8, 7}, 2), lengths);
}

TEST(NalUnits, leave_out_the_zeros_behind_a_unit) {
    EXPECT_EQ(units({0, 0, 1, 0x67, 1, 0, 0, 0, 0, 1, 0x68}, 0), (Bytes{0, 0, 0, 2, 0x67, 1, 0, 0, 0, 1, 0x68}));
}

TEST(NalUnits, of_damaged_packets_stay_inside_them) {
    EXPECT_EQ(units({0xFF, 0xFF, 0xFF, 0xFF, 5}, 4), (Bytes{0, 0, 0, 1, 5}));
    EXPECT_EQ(units({0, 0}, 4), Bytes{});
    EXPECT_EQ(units({}, 0), Bytes{});
    EXPECT_EQ(units({0, 0, 1}, 0), Bytes{});
}

TEST(PlainText, is_what_a_viewer_reads) {
    EXPECT_EQ(plain_text_of_ass("0,0,Default,,0,0,0,,{\\i1}Hello{\\i0}, you\\Nthere"), "Hello, you there");
    EXPECT_EQ(plain_text_of_ass("0,0,Default,,0,0,0,,"), "");
    EXPECT_EQ(plain_text_of_ass("no fields at all"), "");
}

}   // namespace
}   // namespace millstream
