#include "pipeline/report_figures.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include "media/probe.h"
#include "model/executor.h"
#include "model/executor_error.h"

namespace millstream {
namespace {

std::string percent(double share) {
    return std::to_string(static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * 100))) + " %";
}

std::string role_of(const std::string& stage) {
    return stage == "decode"       ? "decoding"
           : stage == "to-tensor"  ? "the conversion of decoded pictures"
           : stage == "motion"     ? "the search for motion"
           : stage == "enhance"    ? "the network"
           : stage == "colour-fix" ? "the colour correction"
           : stage == "temporal"   ? "the temporal lock"
           : stage == "to-picture" ? "the conversion to the encoder's format"
           : stage == "encode"     ? "the encoder"
                                   : "stage " + stage;
}

// What would help, as far as the stage tells.
std::string remedy(const std::string& stage) {
    if (stage == "enhance") {
        return " A smaller model, a lower precision or a faster device would make the run faster.";
    }
    if (stage == "encode") {
        return " A faster --preset would make the run faster.";
    }
    if (stage == "motion" || stage == "temporal") {
        return " --temporal-flow fast or --temporal off would make the run faster.";
    }
    return "";
}

}   // namespace

std::optional<Bottleneck> find_bottleneck(const std::vector<StageTime>& stages, double wall_s) {
    const auto busiest = std::max_element(stages.begin(), stages.end(),
                                          [](const StageTime& a, const StageTime& b) { return a.busy_s < b.busy_s; });
    if (busiest == stages.end() || busiest->busy_s <= 0 || wall_s <= 0) {
        return std::nullopt;
    }
    Bottleneck found{.stage = busiest->name, .busy = std::min(1.0, busiest->busy_s / wall_s), .words = {}};
    found.words = role_of(busiest->name) + " holds the run up: it was busy for " + percent(found.busy) + " of the time";
    found.words.front() = static_cast<char>(std::toupper(found.words.front()));
    for (const StageTime& stage : stages) {   // the two ends of the line, unless they are what holds it up
        if (&stage == &*busiest) {
            continue;
        }
        if (&stage == &stages.front() && stage.wait_output_s > 0) {
            found.words += ", while " + role_of(stage.name) + " waited " + percent(stage.wait_output_s / wall_s) +
                           " of it for room behind it";
        } else if (&stage == &stages.back() && stage.wait_input_s > 0) {
            found.words += ", and " + role_of(stage.name) + " waited " + percent(stage.wait_input_s / wall_s) +
                           " of it for something to do";
        }
    }
    found.words += "." + remedy(busiest->name);
    return found;
}

ReuseReport reuse_report(const ReuseCounts& counts, double network_s) {
    ReuseReport report{.whole_frames = counts.whole_frames,
                       .checks = counts.checks,
                       .check_error_worst = counts.worst_error,
                       .tightened = counts.tightened};
    if (counts.checks > 0) {
        report.check_error_mean = counts.check_errors / static_cast<double>(counts.checks);
    }
    const auto frames = static_cast<double>(counts.frames);
    report.share_computed = counts.frames > 0 ? counts.computed_frames / frames : 0;
    if (counts.computed_frames > 0) {
        report.time_saved_s = std::max(0.0, network_s / counts.computed_frames * (frames - counts.computed_frames));
    }
    return report;
}

Failure failure_of(const std::exception_ptr& failure) {
    const auto defect = [](const std::string& why) {
        return Failure{static_cast<int>(ErrorKind::internal),
                       {"running the job", "", why, "This is a defect of Millstream: please report it"}};
    };
    if (const auto lack = lack_of_memory(failure)) {
        return {static_cast<int>(ErrorKind::resource),
                {"running the job", "", "there is not enough memory: " + *lack,
                 "A smaller --max-memory makes the job plan for less, as does a smaller --tile"}};
    }
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return {error.exit_code(), error.context()};
    } catch (const std::exception& error) {
        return defect(error.what());
    } catch (...) {
        return defect("a failure of an unknown type");
    }
}

std::vector<std::pair<std::string, std::string>> program_versions() {
    return {{"millstream", MILLSTREAM_VERSION}, {"media", ffmpeg_version()}, {"networks", backend_versions()}};
}

}   // namespace millstream
