#include "config/values.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "millstream/error.h"

namespace millstream {
namespace {

std::string refusal(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return "accepted";
}

TEST(Values, sizes_are_width_by_height) {
    EXPECT_EQ(parse_size("--size", "1920x1080"), (Size{1920, 1080}));
    for (const char* text :
         {"", "x", "1920", "1920x", "x1080", "0x5", "-2x5", "1920x1080x3", "70000x5", "1920 x 1080"}) {
        EXPECT_THROW((void)parse_size("--size", text), Error) << text;
    }
}

TEST(Values, a_tile_is_auto_or_off_or_a_side) {
    EXPECT_EQ(parse_tile("auto"), std::nullopt);
    EXPECT_EQ(parse_tile("off"), 0);
    EXPECT_EQ(parse_tile("256"), 256);
    for (const char* text : {"0", "15", "-64", "256px", "", "99999999999"}) {
        EXPECT_THROW((void)parse_tile(text), Error) << text;
    }
}

TEST(Values, a_batch_is_auto_or_a_count) {
    EXPECT_EQ(parse_batch("auto"), 0);
    EXPECT_EQ(parse_batch("4"), 4);
    EXPECT_THROW((void)parse_batch("0"), Error);
}

TEST(Values, the_disk_limit_has_three_forms) {
    EXPECT_EQ(parse_disk_limit("none").kind, DiskLimit::Kind::none);
    const DiskLimit share = parse_disk_limit("62.5%");
    EXPECT_EQ(share.kind, DiskLimit::Kind::percent);
    EXPECT_EQ(share.percent, 62.5);
    const DiskLimit amount = parse_disk_limit("20GiB");
    EXPECT_EQ(amount.kind, DiskLimit::Kind::bytes);
    EXPECT_EQ(amount.bytes, 20 * kGiB);
    for (const char* text : {"0%", "101%", "-5%", "%", "nan%", "lots", "0B"}) {
        EXPECT_THROW((void)parse_disk_limit(text), Error) << text;
    }
}

TEST(Values, a_bare_small_disk_limit_is_asked_back_about) {
    EXPECT_NE(refusal([] { (void)parse_disk_limit("80"); }).find("Write 80% "), std::string::npos);
}

TEST(Values, encoder_options_are_pairs_joined_by_colons) {
    EXPECT_EQ(parse_key_values("--encoder-options", "tune=grain:bf=2"), (KeyValues{{"tune", "grain"}, {"bf", "2"}}));
    EXPECT_EQ(parse_key_values("--encoder-options", "x264-params=a=b"), (KeyValues{{"x264-params", "a=b"}}));
    EXPECT_EQ(parse_key_values("--encoder-options", "empty="), (KeyValues{{"empty", ""}}));
    for (const char* text : {"", "tune", "=grain", "a=1:", "a=1::b=2"}) {
        EXPECT_THROW((void)parse_key_values("--encoder-options", text), Error) << text;
    }
}

TEST(Values, a_refusal_names_the_option_the_text_and_the_choices) {
    const std::string text = refusal([] { (void)parse_backend("tpu"); });
    for (const char* part : {"--backend tpu", "auto, torch, openvino"}) {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    }
}

}   // namespace
}   // namespace millstream
