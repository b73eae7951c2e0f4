// What a job tells, as text. Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "millstream/batch.h"
#include "millstream/error.h"
#include "millstream/observer.h"
#include "millstream/report.h"
#include "millstream/verify.h"

namespace millstream {

std::string format_duration(double seconds);   ///< "0:07", "12:34", "1:02:03"
std::string format_fps(double fps);            ///< three significant digits: "0.61", "24.8", "312"

/// One line of at most `width` columns, without a line end. What does not fit is left out, the least important
/// first: VRAM, RSS, the bar itself, fps, ETA.
std::string progress_bar(const Progress& progress, int width, bool colour);

/// The same facts as one line of a log, without a line end.
std::string progress_line(const Progress& progress);

/// Objects of docs/progress.md, one line each, line end included.
std::string plan_json(const Plan& plan);
std::string progress_json(const Progress& progress);
std::string message_json(Severity severity, const std::string& text);
std::string stopping_json(const std::string& signal);
std::string done_json(const Report& report);
std::string verified_json(const VerifyReport& report);
std::string error_json(const Error& error);
std::string begin_json(std::size_t number, std::size_t count, const BatchItem& item);
std::string batch_json(const BatchReport& report);

/// "[2/3] b.mp4 -> out/b.mp4" and a line end.
std::string begin_text(std::size_t number, std::size_t count, const BatchItem& item);
/// "3 videos: 1 done, 1 there already, 1 failed", and a line for each that is not done.
std::string batch_text(const BatchReport& report);

/// What was made of what: two lines and the warnings.
std::string summary_text(const Report& report);

/// The first line before a job: sizes, network, encoder.
std::string headline_text(const Plan& plan);

/// "millstream: <doing> (<subject>): <why>. <hint>." and a line end.
std::string error_text(const Error& error);

}   // namespace millstream
