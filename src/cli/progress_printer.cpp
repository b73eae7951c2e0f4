#include "cli/progress_printer.h"

#include <optional>
#include <utility>

#include "cli/progress_text.h"
#include "millstream/job.h"

namespace millstream {
namespace {

// Lets the first call through and then one in `interval` seconds.
class Pace {
public:
    Pace(Clock clock, double interval_s) : clock_(std::move(clock)), interval_s_(interval_s) {}

    bool due() {
        const double now = clock_();
        if (last_ && now - *last_ < interval_s_) {
            return false;
        }
        last_ = now;
        return true;
    }

private:
    Clock clock_;
    double interval_s_;
    std::optional<double> last_;
};

bool finished(const Progress& progress) {
    return progress.fraction >= 1 || (progress.frames_total > 0 && progress.frames_done >= progress.frames_total);
}

// For people: progress and messages on stderr, the summary on stdout.
class TextPrinter : public ProgressPrinter {
public:
    TextPrinter(ProgressMode mode, Verbosity verbosity, Console& console, Clock clock)
        : mode_(mode),
          verbosity_(verbosity),
          console_(console),
          pace_(std::move(clock), mode == ProgressMode::bar ? 0.1 : 5.0) {}

    void on_plan(const Plan& plan) override {
        if (verbosity_ == Verbosity::verbose) {
            console_.err(to_text(plan));
        } else if (verbosity_ == Verbosity::normal) {
            console_.err(headline_text(plan));
            for (const std::string& note : plan.notes) {
                console_.err("note: " + note + "\n");
            }
        }
    }

    void on_progress(const Progress& progress) override {
        if (mode_ == ProgressMode::none || !(pace_.due() || finished(progress))) {
            return;
        }
        if (mode_ == ProgressMode::lines) {
            console_.err(progress_line(progress) + "\n");
            return;
        }
        // The last column stays free: writing it makes some terminals wrap.
        console_.err("\r" + progress_bar(progress, console_.err_width() - 1, console_.colour()) + kEraseToEndOfLine);
        bar_shown_ = true;
    }

    void on_message(Severity severity, const std::string& text) override {
        const bool shown =
            severity == Severity::error ||
            (severity == Severity::debug ? verbosity_ == Verbosity::verbose : verbosity_ != Verbosity::quiet);
        if (shown) {
            const char* const prefix = severity == Severity::error     ? "error: "
                                       : severity == Severity::warning ? "warning: "
                                                                       : "";
            console_.err(erased_bar() + prefix + text + "\n");
        }
    }

    void on_stopping(const std::string& signal) override {
        console_.err("\n" + signal +
                     ": finishing the frames in hand; what is committed stays. Once more quits at once.\n");
    }

    void on_begin(std::size_t number, std::size_t count, const BatchItem& item) override {
        if (verbosity_ != Verbosity::quiet) {
            console_.err(begin_text(number, count, item));
        }
    }
    void on_end(const BatchItem& item) override {
        if (item.report) {
            on_done(*item.report);
        } else if (item.error) {
            on_error(*item.error);
        }
    }
    void on_batch_done(const BatchReport& report) override {
        if (verbosity_ != Verbosity::quiet) {
            console_.out(batch_text(report));
        }
    }

    void on_done(const Report& report) override {
        end_bar();
        if (verbosity_ != Verbosity::quiet) {
            console_.out(summary_text(report));
        }
        const bool differs = report.verification && !report.verification->holds();
        if (report.verification && (differs || verbosity_ != Verbosity::quiet)) {
            console_.out(to_text(*report.verification));
        }
    }

    void on_verified(const VerifyReport& report, bool json) override {
        end_bar();
        console_.out(json ? to_json(report) + "\n" : to_text(report));
    }

    void on_error(const Error& error) override {
        end_bar();
        console_.err(error_text(error));
    }

private:
    static constexpr const char* kEraseToEndOfLine = "\x1b[K";   // ECMA-48 EL

    std::string erased_bar() { return std::exchange(bar_shown_, false) ? std::string("\r") + kEraseToEndOfLine : ""; }
    void end_bar() {
        if (std::exchange(bar_shown_, false)) {
            console_.err("\n");
        }
    }

    ProgressMode mode_;
    Verbosity verbosity_;
    Console& console_;
    Pace pace_;
    bool bar_shown_ = false;   // on_stopping, from another thread, does not touch it
};

// For programs: docs/progress.md. Errors are told on stderr as well, for whoever reads the log.
class JsonPrinter : public ProgressPrinter {
public:
    JsonPrinter(Console& console, Clock clock) : console_(console), pace_(std::move(clock), 1.0) {}

    void on_plan(const Plan& plan) override { console_.out(plan_json(plan)); }
    void on_progress(const Progress& progress) override {
        if (pace_.due() || finished(progress)) {
            console_.out(progress_json(progress));
        }
    }
    void on_message(Severity severity, const std::string& text) override { console_.out(message_json(severity, text)); }
    void on_stopping(const std::string& signal) override { console_.out(stopping_json(signal)); }
    void on_begin(std::size_t number, std::size_t count, const BatchItem& item) override {
        console_.out(begin_json(number, count, item));
    }
    void on_end(const BatchItem& item) override {
        if (item.report) {
            on_done(*item.report);
        } else if (item.error) {
            on_error(*item.error);
        }
    }
    void on_batch_done(const BatchReport& report) override { console_.out(batch_json(report)); }
    void on_done(const Report& report) override { console_.out(done_json(report)); }
    void on_verified(const VerifyReport& report, bool /*json*/) override { console_.out(verified_json(report)); }
    void on_error(const Error& error) override {
        console_.out(error_json(error));
        console_.err(error_text(error));
    }

private:
    Console& console_;
    Pace pace_;
};

}   // namespace

std::unique_ptr<ProgressPrinter> make_progress_printer(ProgressMode mode, Verbosity verbosity, Console& console,
                                                       Clock clock) {
    if (mode == ProgressMode::json) {
        return std::make_unique<JsonPrinter>(console, std::move(clock));
    }
    if (mode == ProgressMode::automatic) {
        mode = verbosity == Verbosity::quiet ? ProgressMode::none
               : console.err_is_terminal()   ? ProgressMode::bar
                                             : ProgressMode::lines;
    }
    return std::make_unique<TextPrinter>(mode, verbosity, console, std::move(clock));
}

}   // namespace millstream
