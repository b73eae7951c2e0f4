#include "pipeline/report_file.h"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "millstream/error.h"
#include "millstream/job.h"
#include "pipeline/output_checks.h"

namespace millstream {
namespace {

constexpr std::string_view kDataMark = "/*REPORT*/null";

void check_path(const Options& options, const std::filesystem::path& path, const std::string& option) {
    const auto refuse = [&](ErrorKind kind, const std::string& why, const std::string& hint) {
        throw Error(kind, {"checking " + option, path.string(), why, hint});
    };
    std::error_code ignored;
    std::vector<std::filesystem::path> taken = written_paths(options.output);
    taken.push_back(options.input);
    for (const auto& other : taken) {
        if (std::filesystem::equivalent(path, other, ignored) ||
            std::filesystem::absolute(path).lexically_normal() == std::filesystem::absolute(other).lexically_normal()) {
            refuse(ErrorKind::usage, "it is the video itself, or what is written beside it", "Choose another name");
        }
    }
    if (std::filesystem::is_directory(path, ignored)) {
        refuse(ErrorKind::usage, "it is a folder", "Give a file name");
    }
    const auto folder = path.parent_path().empty() ? std::filesystem::path(".") : path.parent_path();
    if (access(folder.c_str(), W_OK | X_OK) != 0) {
        refuse(ErrorKind::refused, "its folder cannot be written to: " + std::generic_category().message(errno),
               "Choose a folder you may write to");
    }
}

bool is_page(const std::filesystem::path& path) {
    return path.extension() == ".html" || path.extension() == ".htm";
}

std::string text_for(const std::filesystem::path& path, const Report& report) {
    return is_page(path) ? to_html(report) : to_json(report) + "\n";
}

}   // namespace

void check_report_paths(const Options& options) {
    for (const auto& path : options.reports) {
        if (!is_page(path) && path.extension() != ".json") {
            throw Error(ErrorKind::usage, {"checking --report", path.string(), "its ending says no format",
                                           "Let it end in .json or .html"});
        }
        check_path(options, path, "--report");
    }
    if (!options.metrics_file.empty()) {
        check_path(options, options.metrics_file, "--metrics-file");
    }
}

void write_reports(FileCalls& files, Report& report) {
    const std::vector<std::filesystem::path> paths = report.plan.options.reports;
    const std::size_t others = report.files.size();
    for (const auto& path : paths) {
        report.files.push_back({.path = path, .role = "report", .bytes_read = 0, .bytes_written = 0});
    }
    // A report tells its own size: written in the text, which it may lengthen by a digit, once or twice.
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t i = 0; i < paths.size(); ++i) {
            FileIo& file = report.files.at(others + i);
            const std::uint64_t size = text_for(paths[i], report).size();
            changed = changed || size > file.bytes_written;
            file.bytes_written = std::max(size, file.bytes_written);
        }
    }
    for (std::size_t i = 0; i < paths.size(); ++i) {
        std::string text = text_for(paths[i], report);
        text.resize(report.files.at(others + i).bytes_written, '\n');   // where the fixed point was jumped over
        replace_file(files, paths[i], text);
    }
}

std::string to_html(const Report& report) {
    std::string data;
    for (const char c : to_json(report)) {   // "</script>" in a file name must not end the script
        data += c == '<' ? "\\u003c" : std::string(1, c);
    }
    std::string page = report_page_template();
    const std::size_t at = page.find(kDataMark);
    return page.replace(at, kDataMark.size(), data);
}

void write_metrics(FileCalls& files, const std::filesystem::path& path, const Progress& progress) {
    replace_file(files, path, to_metrics(progress));
}

}   // namespace millstream
