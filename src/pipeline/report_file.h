// Reports and metrics as files.
#pragma once

#include <filesystem>
#include <string>

#include "base/file.h"
#include "millstream/observer.h"
#include "millstream/options.h"
#include "millstream/report.h"

namespace millstream {

/// Before the start: each report ends in .json or .html, names a folder that can be written to, and is neither IN nor
/// OUT; likewise the metrics file, of any ending. Throws Error(usage) or Error(refused).
void check_report_paths(const Options& options);

/// Writes every report of report.plan.options; each file is there as a whole or not at all. Fills report.files with
/// them first. Throws Error(resource).
void write_reports(FileCalls& files, Report& report);

/// One page with everything in it: data, styles, program. Needs no network.
std::string to_html(const Report& report);

/// In the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
std::string to_metrics(const Progress& progress);

/// Renews the file that a collector of text files reads (node_exporter's textfile collector).
void write_metrics(FileCalls& files, const std::filesystem::path& path, const Progress& progress);

/// report_page.html, with "/*REPORT*/null" where the report's JSON belongs.
std::string report_page_template();

}   // namespace millstream
