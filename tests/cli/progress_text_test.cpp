#include "cli/progress_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace millstream {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Progress half_done() {
    Progress progress;
    progress.frames_done = 1234;
    progress.frames_total = 2468;
    progress.fraction = 0.5;
    progress.fps = 0.614;
    progress.elapsed_s = 2010;
    progress.eta_s = 3725.4;
    progress.rss_bytes = kGiB;
    progress.output_bytes = 5 * kMiB;
    return progress;
}

TEST(ProgressText, durations_grow_from_seconds_to_hours) {
    EXPECT_EQ(format_duration(0), "0:00");
    EXPECT_EQ(format_duration(59.6), "1:00");
    EXPECT_EQ(format_duration(754), "12:34");
    EXPECT_EQ(format_duration(3723), "1:02:03");
    EXPECT_EQ(format_duration(-1), "0:00");
}

TEST(ProgressText, fps_has_three_digits_that_count) {
    EXPECT_EQ(format_fps(0.614), "0.61");
    EXPECT_EQ(format_fps(24.82), "24.8");
    EXPECT_EQ(format_fps(311.7), "312");
}

TEST(ProgressText, a_wide_terminal_shows_everything) {
    Progress progress = half_done();
    progress.vram_bytes = 3 * kGiB;
    EXPECT_EQ(progress_bar(progress, 100, false),
              " 50.0%  [#############.............]  1234/2468 frames  ETA 1:02:05  0.61 fps  RSS 1 GiB  VRAM 3 GiB");
}

TEST(ProgressText, the_bar_never_exceeds_the_width_and_keeps_what_matters_most) {
    Progress progress = half_done();
    progress.vram_bytes = 3 * kGiB;
    for (int width = 1; width < 200; ++width) {
        EXPECT_LE(progress_bar(progress, width, false).size(), static_cast<std::size_t>(width));
    }
    EXPECT_THAT(progress_bar(progress, 30, false), HasSubstr("1234/2468 frames"));
    EXPECT_THAT(progress_bar(progress, 79, false), HasSubstr("ETA 1:02:05"));
}

TEST(ProgressText, without_a_total_there_is_no_percentage_but_the_time) {
    Progress progress = half_done();
    progress.frames_total = 0;
    progress.fraction = 0;
    progress.eta_s.reset();
    EXPECT_EQ(progress_bar(progress, 79, false), "1234 frames  33:30  0.61 fps  RSS 1 GiB");
}

TEST(ProgressText, a_hundred_percent_is_not_said_early) {
    Progress progress = half_done();
    progress.fraction = 0.99999;
    EXPECT_THAT(progress_bar(progress, 79, false), HasSubstr(" 99.9%"));
}

TEST(ProgressText, colour_codes_appear_only_on_request) {
    EXPECT_THAT(progress_bar(half_done(), 79, false), Not(HasSubstr("\x1b")));
    EXPECT_THAT(progress_bar(half_done(), 79, true), HasSubstr("\x1b["));
}

TEST(ProgressText, the_line_of_a_log_has_the_same_facts) {
    EXPECT_EQ(progress_line(half_done()),
              " 50.0%  1234/2468 frames  0.61 fps  33:30 elapsed  ETA 1:02:05  RSS 1 GiB  output 5 MiB");
}

TEST(ProgressText, json_is_one_line_and_unknown_is_null) {
    Progress progress = half_done();
    progress.frames_total = 0;
    progress.fraction = 0;
    progress.eta_s.reset();
    const std::string text = progress_json(progress);
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    const json object = json::parse(text);
    EXPECT_EQ(object["event"], "progress");
    EXPECT_EQ(object["frames_done"], 1234);
    EXPECT_EQ(object["rss_bytes"], kGiB);
    for (const char* unknown : {"frames_total", "fraction", "eta_s", "vram_bytes"}) {
        EXPECT_TRUE(object[unknown].is_null()) << unknown;
    }
}

TEST(ProgressText, json_survives_names_that_are_no_utf8) {
    EXPECT_EQ(json::parse(message_json(Severity::warning, "file \xff.mp4"))["text"], "file \uFFFD.mp4");
}

TEST(ProgressText, an_error_is_one_paragraph_that_ends) {
    const Error error(ErrorKind::input, {"opening the input", "a.mp4", "there is no such file", "Look at the name"});
    EXPECT_EQ(error_text(error), "millstream: opening the input (a.mp4): there is no such file. Look at the name.\n");
    EXPECT_EQ(json::parse(error_json(error))["exit_code"], 3);
}

TEST(ProgressText, the_summary_says_what_was_made_of_what) {
    Report report;
    report.plan.options.input = "a.mp4";
    report.plan.options.output = "b.mkv";
    report.frames = 359;
    report.wall_s = 591;
    report.fps_mean = 0.607;
    report.peak_rss_bytes = kGiB + kGiB / 5;
    report.input_bytes = 3 * kMiB;
    report.output_bytes = 8 * kMiB;
    report.warnings = {"2 frames were concealed"};
    EXPECT_EQ(summary_text(report),
              "359 frames in 9:51 (0.61 fps), peak memory 1.2 GiB\n"
              "a.mp4 (3 MiB) -> b.mkv (8 MiB)\n"
              "warning: 2 frames were concealed\n");
}

}   // namespace
}   // namespace millstream
