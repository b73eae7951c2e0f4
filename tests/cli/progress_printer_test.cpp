#include "cli/progress_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/memory_console.h"

namespace millstream {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Printing {
    explicit Printing(ProgressMode mode, Verbosity verbosity = Verbosity::normal, bool terminal = false) {
        console.terminal = terminal;
        printer = make_progress_printer(mode, verbosity, console, [this] { return now; });
    }

    // One call each 0.02 s for `seconds`.
    void run_for(double seconds) {
        Progress progress;
        progress.frames_total = 1'000'000;
        for (int call = 0; call < static_cast<int>(seconds / 0.02); ++call) {
            ++progress.frames_done;
            printer->on_progress(progress);
            now += 0.02;
        }
    }

    [[nodiscard]] auto count(const std::string& text, char wanted) const {
        return std::count(text.begin(), text.end(), wanted);
    }

    double now = 100;
    MemoryConsole console;
    std::unique_ptr<ProgressPrinter> printer;
};

TEST(ProgressPrinter, the_bar_is_redrawn_ten_times_a_second_at_most) {
    Printing printing(ProgressMode::bar);
    printing.run_for(2);
    EXPECT_LE(printing.count(printing.console.err_text, '\r'), 20);
    EXPECT_GE(printing.count(printing.console.err_text, '\r'), 15);
    EXPECT_EQ(printing.count(printing.console.err_text, '\n'), 0);
}

TEST(ProgressPrinter, without_a_terminal_there_is_a_line_every_five_seconds) {
    Printing printing(ProgressMode::automatic);
    printing.run_for(21);
    EXPECT_EQ(printing.count(printing.console.err_text, '\n'), 5);   // at 0, 5, 10, 15 and 20 s
    EXPECT_THAT(printing.console.err_text, Not(HasSubstr("\r")));
}

TEST(ProgressPrinter, on_a_terminal_automatic_means_a_bar) {
    Printing printing(ProgressMode::automatic, Verbosity::normal, true);
    printing.run_for(0.1);
    EXPECT_THAT(printing.console.err_text, HasSubstr("\r"));
}

TEST(ProgressPrinter, the_last_progress_is_always_shown) {
    Printing printing(ProgressMode::lines);
    Progress progress;
    progress.frames_total = 2;
    progress.frames_done = 1;
    printing.printer->on_progress(progress);
    progress.frames_done = 2;
    printing.printer->on_progress(progress);
    EXPECT_THAT(printing.console.err_text, HasSubstr("2/2 frames"));
}

TEST(ProgressPrinter, a_message_does_not_stand_on_the_bar) {
    Printing printing(ProgressMode::bar);
    printing.run_for(0.02);
    printing.printer->on_message(Severity::warning, "hot");
    EXPECT_THAT(printing.console.err_text, HasSubstr("\r\x1b[Kwarning: hot\n"));
}

TEST(ProgressPrinter, quiet_prints_errors_only) {
    Printing printing(ProgressMode::automatic, Verbosity::quiet, true);
    printing.printer->on_plan({});
    printing.run_for(1);
    printing.printer->on_message(Severity::warning, "hot");
    printing.printer->on_done({});
    EXPECT_EQ(printing.console.err_text + printing.console.out_text, "");
    printing.printer->on_error(Error(ErrorKind::input, {"reading", "a", "no", ""}));
    EXPECT_EQ(printing.console.err_text, "millstream: reading (a): no.\n");
}

TEST(ProgressPrinter, debug_messages_need_verbose) {
    Printing normal(ProgressMode::none);
    normal.printer->on_message(Severity::debug, "detail");
    EXPECT_EQ(normal.console.err_text, "");
    Printing verbose(ProgressMode::none, Verbosity::verbose);
    verbose.printer->on_message(Severity::debug, "detail");
    EXPECT_EQ(verbose.console.err_text, "detail\n");
}

TEST(ProgressPrinter, json_keeps_stdout_to_objects_and_stderr_silent) {
    Printing printing(ProgressMode::json);
    printing.run_for(3);
    printing.printer->on_message(Severity::info, "text");
    EXPECT_EQ(printing.count(printing.console.out_text, '\n'), 4);   // at 0, 1 and 2 s, and the message
    EXPECT_EQ(printing.console.err_text, "");
}

}   // namespace
}   // namespace millstream
