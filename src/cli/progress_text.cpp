#include "cli/progress_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "base/bytes.h"
#include "base/counted.h"
#include "millstream/job.h"

namespace millstream {
namespace {

using Json = nlohmann::ordered_json;

template <class... Values>
std::string format(const char* pattern, Values... values) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), pattern, values...);
    return text.data();
}

// File names may hold bytes that are no UTF-8: shown as U+FFFD rather than failing.
std::string line_of(const Json& object) {
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

bool has_fraction(const Progress& progress) {
    return progress.fraction > 0 || progress.frames_total > 0;
}

std::string frames_text(const Progress& progress) {
    std::string text = std::to_string(progress.frames_done);
    if (progress.frames_total > 0) {
        text += "/" + std::to_string(progress.frames_total);
    }
    return text + " frames";
}

std::string eta_text(const Progress& progress) {
    return progress.eta_s ? "ETA " + format_duration(*progress.eta_s) : format_duration(progress.elapsed_s);
}

std::string percent_text(const Progress& progress) {
    // Rounded down: 100 % is said when it is done, not shortly before.
    return format("%5.1f%%", std::floor(std::clamp(progress.fraction, 0.0, 1.0) * 1000) / 10);
}

std::string drawn_bar(double fraction, std::size_t cells, bool colour) {
    const auto done = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(cells));
    const std::string full(done, '#');
    const std::string rest(cells - done, '.');
    return colour ? "[\x1b[32m" + full + "\x1b[0m" + rest + "]" : "[" + full + rest + "]";
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : "  ") + part;
    }
    return text;
}

std::string_view name_of(Severity severity) {
    constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};
    return kNames.at(static_cast<std::size_t>(severity));
}

std::string_view name_of(PressureLevel level) {
    constexpr std::array<std::string_view, 3> kNames = {"normal", "elevated", "critical"};
    return kNames.at(static_cast<std::size_t>(level));
}

std::string name_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::internal:
            return "internal";
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::input:
            return "input";
        case ErrorKind::refused:
            return "refused";
        case ErrorKind::model:
            return "model";
        case ErrorKind::resource:
            return "resource";
        case ErrorKind::difference:
            return "difference";
        case ErrorKind::interrupted:
            return "interrupted";
    }
    return "internal";
}

}   // namespace

std::string format_duration(double seconds) {
    const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
    const long long hours = whole / 3600;
    const long long minutes = whole / 60 % 60;
    return hours > 0 ? format("%lld:%02lld:%02lld", hours, minutes, whole % 60)
                     : format("%lld:%02lld", minutes, whole % 60);
}

std::string format_fps(double fps) {
    return format(fps >= 99.95 ? "%.0f" : fps >= 9.995 ? "%.1f" : "%.2f", fps);
}

std::string progress_bar(const Progress& progress, int width, bool colour) {
    // In the order of importance; shown from left to right in the same order, with the bar after the first.
    std::vector<std::string> parts;
    if (has_fraction(progress)) {
        parts.push_back(percent_text(progress));
    }
    const std::size_t always = parts.size() + 1;
    parts.push_back(frames_text(progress));
    parts.push_back(eta_text(progress));
    parts.push_back(format_fps(progress.fps) + " fps");
    const std::size_t bar_needs_room_for = parts.size();
    parts.push_back("RSS " + format_bytes(progress.rss_bytes));
    if (progress.vram_bytes) {
        parts.push_back("VRAM " + format_bytes(*progress.vram_bytes));
    }

    constexpr std::size_t kSmallestBar = 12;   // with its brackets
    const auto room = static_cast<std::size_t>(std::max(width, 1));
    while (parts.size() > always && joined(parts).size() > room) {
        parts.pop_back();
    }
    // The memory figures give way to a bar, the others do not.
    while (parts.size() > bar_needs_room_for && joined(parts).size() + 2 + kSmallestBar > room) {
        parts.pop_back();
    }
    const std::size_t used = joined(parts).size();
    if (has_fraction(progress) && used + 2 + kSmallestBar <= room) {
        const std::size_t cells = std::min<std::size_t>(room - used - 4, 40);
        parts.insert(parts.begin() + 1, drawn_bar(progress.fraction, cells, colour));
        return joined(parts);
    }
    return joined(parts).substr(0, room);
}

std::string progress_line(const Progress& progress) {
    std::vector<std::string> parts;
    if (has_fraction(progress)) {
        parts.push_back(percent_text(progress));
    }
    parts.push_back(frames_text(progress));
    parts.push_back(format_fps(progress.fps) + " fps");
    parts.push_back(format_duration(progress.elapsed_s) + " elapsed");
    if (progress.eta_s) {
        parts.push_back(eta_text(progress));
    }
    parts.push_back("RSS " + format_bytes(progress.rss_bytes));
    if (progress.vram_bytes) {
        parts.push_back("VRAM " + format_bytes(*progress.vram_bytes));
    }
    parts.push_back("output " + format_bytes(progress.output_bytes));
    return joined(parts);
}

std::string plan_json(const Plan& plan) {
    return line_of({{"event", "plan"}, {"schema", 1}, {"plan", Json::parse(to_json(plan))}});
}

static Json resources_json(const ResourceSnapshot& now) {
    return {{"rss_bytes", now.rss_bytes},
            {"peak_rss_bytes", now.peak_rss_bytes},
            {"memory_total_bytes", now.memory_total_bytes},
            {"memory_available_bytes", now.memory_available_bytes},
            {"cgroup_used_bytes", or_null(now.cgroup_used_bytes)},
            {"cgroup_limit_bytes", or_null(now.cgroup_limit_bytes)},
            {"memory_stall_percent", or_null(now.memory_stall_percent)},
            {"vram_bytes", or_null(now.vram_bytes)},
            {"vram_used_bytes", or_null(now.vram_used_bytes)},
            {"vram_total_bytes", or_null(now.vram_total_bytes)},
            {"cpu_cores", now.cpu_cores},
            {"disk_read_bytes", now.disk_read_bytes},
            {"disk_written_bytes", now.disk_written_bytes},
            {"disk_free_bytes", now.disk_free_bytes},
            {"cpu_celsius", or_null(now.cpu_celsius)},
            {"device_celsius", or_null(now.device_celsius)},
            {"energy_j", or_null(now.energy_j)},
            {"memory_level", name_of(now.memory_level)},
            {"vram_level", name_of(now.vram_level)}};
}

std::string progress_json(const Progress& progress) {
    return line_of({{"event", "progress"},
                    {"frames_done", progress.frames_done},
                    {"frames_total", progress.frames_total > 0 ? Json(progress.frames_total) : Json(nullptr)},
                    {"fraction", has_fraction(progress) ? Json(progress.fraction) : Json(nullptr)},
                    {"fps", progress.fps},
                    {"elapsed_s", progress.elapsed_s},
                    {"eta_s", or_null(progress.eta_s)},
                    {"rss_bytes", progress.rss_bytes},
                    {"vram_bytes", or_null(progress.vram_bytes)},
                    {"output_bytes", progress.output_bytes},
                    {"resources", resources_json(progress.resources)}});
}

std::string message_json(Severity severity, const std::string& text) {
    return line_of({{"event", "message"}, {"severity", name_of(severity)}, {"text", text}});
}

std::string stopping_json(const std::string& signal) {
    return line_of({{"event", "stopping"}, {"signal", signal}});
}

std::string done_json(const Report& report) {
    return line_of({{"event", "done"}, {"report", Json::parse(to_json(report))}});
}

std::string verified_json(const VerifyReport& report) {
    return line_of({{"event", "verified"}, {"report", Json::parse(to_json(report))}});
}

std::string error_json(const Error& error) {
    const Error::Context& context = error.context();
    return line_of({{"event", "error"},
                    {"kind", name_of(error.kind())},
                    {"exit_code", error.exit_code()},
                    {"doing", context.doing},
                    {"subject", context.subject},
                    {"why", context.why},
                    {"hint", context.hint}});
}

std::string begin_json(std::size_t number, std::size_t count, const BatchItem& item) {
    return line_of({{"event", "begin"},
                    {"number", number},
                    {"count", count},
                    {"input", item.input.string()},
                    {"output", item.output.string()}});
}

std::string batch_json(const BatchReport& report) {
    Json event = Json::parse(to_json(report));
    for (Json& item : event["items"]) {
        item.erase("report");   // told before, by `done`
        item.erase("error");
    }
    event["event"] = "batch";
    return line_of(event);
}

std::string begin_text(std::size_t number, std::size_t count, const BatchItem& item) {
    return "[" + std::to_string(number) + "/" + std::to_string(count) + "] " + item.input.string() + " -> " +
           item.output.string() + "\n";
}

std::string batch_text(const BatchReport& report) {
    using Outcome = BatchItem::Outcome;
    std::string text = counted(std::ssize(report.items), "video", "videos") + ": ";
    std::string parts;
    for (const auto& [outcome, name] :
         {std::pair(Outcome::done, "done"), std::pair(Outcome::exists, "there already"),
          std::pair(Outcome::failed, "failed"), std::pair(Outcome::waiting, "not begun")}) {
        if (const std::size_t count = report.count(outcome); count > 0) {
            parts += (parts.empty() ? "" : ", ") + std::to_string(count) + " " + name;
        }
    }
    text += parts + "\n";
    for (const BatchItem& item : report.items) {
        if (item.error) {
            text += "failed: " + item.input.string() + ": " + item.error->context().why + "\n";
        } else if (item.outcome == Outcome::waiting) {
            text += "not begun: " + item.input.string() + "\n";
        }
    }
    return text;
}

static std::string reuse_text(const ReuseReport& reuse) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(0) << "reuse: " << 100 * reuse.share_computed
         << " % of the picture computed, about " << format_duration(reuse.time_saved_s) << " saved";
    if (reuse.checks > 0) {
        text << std::setprecision(1) << "; " << counted(reuse.checks, "check", "checks") << ", off by "
             << reuse.check_error_mean << " of 255 on average, " << reuse.check_error_worst << " at worst";
    }
    return text.str() + "\n";
}

// Where --max-total has lowered it.
static std::string quality_text(const Report& report) {
    if (report.chunk_crf.empty()) {
        return "";
    }
    const auto [best, worst] = std::minmax_element(report.chunk_crf.begin(), report.chunk_crf.end());
    return *worst <= report.plan.crf ? ""
                                     : "crf of the chunks: " + std::to_string(*best) + " to " + std::to_string(*worst) +
                                           ", " + std::to_string(report.plan.crf) + " was asked for (--max-total)\n";
}

std::string summary_text(const Report& report) {
    const Options& options = report.plan.options;
    std::string text = counted(report.frames, "frame", "frames") + " in " + format_duration(report.wall_s) + " (" +
                       format_fps(report.fps_mean) + " fps), peak memory " + format_bytes(report.peak_rss_bytes);
    if (report.peak_vram_bytes) {
        text += ", peak VRAM " + format_bytes(*report.peak_vram_bytes);
    }
    text += "\n" + options.input.string() + " (" + format_bytes(report.input_bytes) + ") -> " +
            options.output.string() + " (" + format_bytes(report.output_bytes) + ")\n";
    text += quality_text(report);
    if (report.reuse) {
        text += reuse_text(*report.reuse);
    }
    for (const std::string& warning : report.warnings) {
        text += "warning: " + warning + "\n";
    }
    return text;
}

std::string headline_text(const Plan& plan) {
    const auto size = [](const Size& value) {
        return std::to_string(value.width) + "x" + std::to_string(value.height);
    };
    return size(plan.input_size) + " -> " + size(plan.output_size) + ", " + plan.model + " on " + plan.device + " (" +
           plan.backend + ", " + plan.precision + "), " + plan.encoder + " crf " + std::to_string(plan.crf) + "\n";
}

std::string error_text(const Error& error) {
    std::string text = "millstream: " + std::string(error.what());
    if (!text.ends_with('.') && !text.ends_with('?')) {
        text += ".";
    }
    return text + "\n";
}

}   // namespace millstream
