// The commands on the fake library (fake_library.cpp).
#include "cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/memory_console.h"

namespace millstream {
namespace {

using testing::HasSubstr;

TEST(Commands, enhance_ends_with_the_summary_on_stdout) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"enhance", "a.mp4", "-o", "b.mkv"}, console), 0);
    EXPECT_THAT(console.out_text, HasSubstr("10 frames in 0:05"));
    EXPECT_THAT(console.err_text, HasSubstr("640x360 -> 1280x720"));
    EXPECT_THAT(console.err_text, HasSubstr("note: one subtitle stream is left out"));
}

TEST(Commands, an_error_becomes_its_exit_code_and_one_paragraph) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"enhance", "missing.mp4", "-o", "b.mkv"}, console), 3);
    EXPECT_EQ(console.err_text, "millstream: opening the input (missing.mp4): there is no such file.\n");
    EXPECT_EQ(console.out_text, "");
}

TEST(Commands, an_unexpected_exception_is_a_defect_to_report) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"enhance", "defect.mp4", "-o", "b.mkv"}, console), 1);
    EXPECT_THAT(console.err_text, HasSubstr("seven is not eight"));
    EXPECT_THAT(console.err_text, HasSubstr("please report it"));
    EXPECT_EQ(run_command_line({"inspect", "defect.mp4"}, console), 1);
}

TEST(Commands, running_out_of_memory_is_a_missing_resource) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"enhance", "memory.mp4", "-o", "b.mkv"}, console), 6);
}

TEST(Commands, inspect_plans_for_a_file_beside_nobody) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"inspect", "folder/a.mp4"}, console), 0);
    EXPECT_EQ(console.out_text, "input   folder/a.mp4\noutput  a_enhanced.mkv\n");
}

TEST(Commands, a_wrong_option_is_exit_code_2) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"enhance", "a.mp4", "-o", "b.mkv", "--scale", "many"}, console), 2);
    EXPECT_THAT(console.err_text, HasSubstr("--scale many"));
}

TEST(Commands, verify_is_0_where_all_holds_and_7_where_not) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"verify", "a.mp4", "b.mkv"}, console), 0);
    EXPECT_EQ(console.out_text, "the same\n");
    EXPECT_EQ(run_command_line({"verify", "a.mp4", "broken.mkv"}, console), 7);
    EXPECT_EQ(console.out_text, "the same\nnot the same\n");
}

TEST(Commands, verify_shows_progress_only_after_two_seconds) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"verify", "a.mp4", "b.mkv"}, console), 0);
    EXPECT_EQ(console.err_text, "");
    EXPECT_EQ(run_command_line({"verify", "long.mp4", "b.mkv"}, console), 0);
    EXPECT_THAT(console.err_text, HasSubstr("0/10 frames"));
}

TEST(Commands, verify_writes_json_and_json_lines) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"verify", "a.mp4", "b.mkv", "--json"}, console), 0);
    EXPECT_EQ(console.out_text, "{\"holds\":true}\n");
    MemoryConsole lines;
    EXPECT_EQ(run_command_line({"verify", "a.mp4", "broken.mkv", "--progress", "json"}, lines), 7);
    EXPECT_EQ(lines.out_text, "{\"event\":\"verified\",\"report\":{\"holds\":false}}\n");
}

TEST(Commands, enhance_with_verify_ends_with_what_was_found) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"enhance", "a.mp4", "-o", "b.mkv", "--verify"}, console), 0);
    EXPECT_THAT(console.out_text, HasSubstr("the same"));
    EXPECT_EQ(run_command_line({"enhance", "a.mp4", "-o", "broken.mkv", "--verify", "-q"}, console), 7);
    EXPECT_THAT(console.out_text, HasSubstr("not the same"));
    EXPECT_EQ(run_command_line({"enhance", "a.mp4", "-o", "broken.mkv"}, console), 0);
}

TEST(Commands, doctor_says_what_is_missing_and_what_to_do) {
    MemoryConsole console;
    EXPECT_EQ(run_command_line({"doctor"}, console), 0);
    for (const char* part :
         {"FFmpeg 0", "zimg ", "1 of 2 file sets are missing", "/somewhere/models", "models fetch"}) {
        EXPECT_THAT(console.out_text, HasSubstr(part));
    }
}

}   // namespace
}   // namespace millstream
