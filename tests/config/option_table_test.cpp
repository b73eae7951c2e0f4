#include "config/option_table.h"

#include <gmock/gmock.h>

#include "millstream/error.h"

namespace millstream {
namespace {

TEST(option_table, every_text_it_gives_is_one_it_takes) {
    for (const OptionEntry& entry : option_table()) {
        Options options;
        const std::string text = entry.text(options);
        if (!text.empty()) {
            entry.set(options, text);
            EXPECT_EQ(entry.text(options), text) << entry.name;
        }
    }
}

TEST(option_table, values_go_in_and_come_out_again) {
    const std::vector<std::pair<std::string, std::string>> values = {{"overwrite", "true"},
                                                                     {"model", "span"},
                                                                     {"scale", "3"},
                                                                     {"size", "1920x1080"},
                                                                     {"fit", "640x480"},
                                                                     {"backend", "torch"},
                                                                     {"precision", "bf16"},
                                                                     {"device", "cuda:0,cuda:1"},
                                                                     {"tile", "512"},
                                                                     {"batch", "4"},
                                                                     {"threads", "3"},
                                                                     {"colour_fix", "off"},
                                                                     {"reuse", "fast"},
                                                                     {"temporal", "high"},
                                                                     {"temporal_flow", "fast"},
                                                                     {"debug_view", "split"},
                                                                     {"max_memory", "1048576"},
                                                                     {"max_vram", "2097152"},
                                                                     {"disk_limit", "50%"},
                                                                     {"max_total", "20480KiB"},
                                                                     {"chunk", "48f"},
                                                                     {"resume", "never"},
                                                                     {"release", "every_frame"},
                                                                     {"pressure", "70,90"},
                                                                     {"strict_io", "true"},
                                                                     {"reports", "a.json\nb.html"},
                                                                     {"metrics_file", "m.prom"},
                                                                     {"codec", "av1"},
                                                                     {"encoder", "libx264"},
                                                                     {"crf", "20"},
                                                                     {"preset", "slow"},
                                                                     {"encoder_options", "a=1:b=2"},
                                                                     {"pixel_format", "yuv444p"},
                                                                     {"bake_rotation", "true"},
                                                                     {"faststart", "true"},
                                                                     {"strict", "true"},
                                                                     {"deinterlace", "field"},
                                                                     {"crop", "64:32:2:4"},
                                                                     {"alpha", "require"},
                                                                     {"hwaccel", "cuda"},
                                                                     {"video_stream", "1"},
                                                                     {"verify", "true"},
                                                                     {"audio", "1,2"},
                                                                     {"subtitles", "none"},
                                                                     {"convert_subtitles", "true"},
                                                                     {"runner", "serial"}};
    Options options;
    for (const auto& [name, text] : values) {
        EXPECT_NE(find_option(name).text(options), text) << name << ": the test would not see it";
        set_option(options, name, text);
        EXPECT_EQ(find_option(name).text(options), text);
    }
    EXPECT_EQ(values.size(), option_table().size());
}

TEST(option_table, a_wrong_text_is_an_error_that_names_option_text_and_what_is_allowed) {
    Options options;
    try {
        set_option(options, "crf", "99");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_EQ(error.context().subject, "crf = 99");
        EXPECT_THAT(error.context().why, testing::HasSubstr("0 to 63"));
    }
}

}   // namespace
}   // namespace millstream
