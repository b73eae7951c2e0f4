#include "verify/container_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millstream {
namespace {

TEST(ContainerRules, leave_out_what_muxers_write_of_themselves) {
    const Tags tags = {{"encoder", "Lavf59"}, {"major_brand", "isom"}, {"compatible_brands", "iso2"}, {"title", "A"}};
    EXPECT_EQ(comparable_file_tags(tags), (Tags{{"title", "A"}}));
    const Tags stream = {{"handler_name", "SoundHandler"}, {"bps-eng", "128000"}, {"duration", "00:00:01"},
                         {"_statistics_tags", "BPS"},      {"language", "und"},   {"title", "B"}};
    EXPECT_EQ(comparable_stream_tags(stream), (Tags{{"title", "B"}}));
}

TEST(ContainerRules, dates_end_with_the_second) {
    const Tags tags = comparable_file_tags({{"creation_time", "2020-01-02T03:04:05.120000Z"}});
    EXPECT_EQ(tags.at("creation_time"), "2020-01-02T03:04:05Z");
}

TEST(ContainerRules, dates_and_places_are_the_same_in_every_form) {
    EXPECT_EQ(comparable_file_tags({{"creation_time", "2016-05-31 17:01:35"}}),
              comparable_file_tags({{"creation_time", "2016-05-31T17:01:35.000000Z"}}));
    EXPECT_EQ(comparable_file_tags({{"location", "+40.680-074.500/"}}),
              comparable_file_tags({{"location", "+40.6800-074.5000/"}}));
    EXPECT_NE(comparable_file_tags({{"location", "+40.680-074.500/"}}),
              comparable_file_tags({{"location", "+40.680-074.600/"}}));
    EXPECT_NE(comparable_file_tags({{"creation_time", "2016-05-31 17:01:35"}}),
              comparable_file_tags({{"creation_time", "2016-05-31 17:01:36"}}));
    EXPECT_EQ(comparable_file_tags({{"title", "12:30 at noon.00"}}), (Tags{{"title", "12:30 at noon.00"}}));
}

TEST(ContainerRules, know_what_a_container_keeps) {
    EXPECT_TRUE(keeps_stream_tag("matroska", "anything"));
    EXPECT_TRUE(keeps_stream_tag("mp4", "language"));
    EXPECT_FALSE(keeps_stream_tag("mp4", "anything"));
    EXPECT_EQ(kept_dispositions("mov", StreamKind::audio, {"default", "comment"}), (std::set<std::string>{"default"}));
    EXPECT_EQ(kept_dispositions("matroska", StreamKind::audio, {"default", "comment"}),
              (std::set<std::string>{"default", "comment"}));
}

}   // namespace
}   // namespace millstream
