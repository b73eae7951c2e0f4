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
