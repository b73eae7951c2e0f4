// A report as text and as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "millstream/verify.h"
#include "verify/words.h"

namespace millstream {
namespace {

using Json = nlohmann::ordered_json;

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

std::string difference_line(const Difference& difference) {
    const auto value = [](const std::string& text) { return text.empty() ? std::string("nothing") : text; };
    return "            " + difference.place + ": source " + value(difference.source) + ", result " +
           value(difference.result) + "\n";
}

std::string check_text(const VerifyCheck& check) {
    const bool none = check.compared == 0 && check.differences == 0;
    std::string text = check.differences > 0 ? "differs   " : none ? "-         " : "same      ";
    text += padded(check.name, 15);
    text += none ? " nothing to compare" : " " + std::to_string(check.compared) + " compared";
    if (check.differences > 0) {
        text += ", " + counted(check.differences, "difference", "differences");
    }
    text += "\n";
    for (const Difference& difference : check.examples) {
        text += difference_line(difference);
    }
    if (check.differences > static_cast<std::int64_t>(check.examples.size()) && check.examples.size() >= 10) {
        text += "            and more\n";
    }
    return text;
}

std::string scene_text(const SceneQuality& scene) {
    std::string text = "          frames " + std::to_string(scene.first_frame) + " to " +
                       std::to_string(scene.first_frame + scene.frames - 1) + " (" + fixed(scene.start_s, 3) +
                       " s): PSNR " + fixed(scene.psnr_db, 2) + " dB (blurred source " +
                       fixed(scene.blurred_psnr_db, 2) + "), worst " + fixed(scene.worst_frame_db, 2) + " in frame " +
                       std::to_string(scene.worst_frame) + ", SSIM " + fixed(scene.ssim, 4);
    if (!scene.level_shift.empty()) {
        text += ", levels";
        for (const double shift : scene.level_shift) {
            text += " " + std::string(shift >= 0 ? "+" : "") + fixed(shift, 2);
        }
    }
    return text + "\n";
}

constexpr std::size_t kMostScenesShown = 10;

std::string scenes_text(const VerifyReport& report) {
    std::string text;
    for (std::size_t i = 0; i < std::min(report.scenes.size(), kMostScenesShown); ++i) {
        text += scene_text(report.scenes[i]);
    }
    if (report.scenes.size() > kMostScenesShown) {
        text += "          and " + std::to_string(report.scenes.size() - kMostScenesShown) + " more scenes (--json)\n";
    }
    return text;
}

Json checks_json(const VerifyReport& report) {
    Json checks = Json::array();
    for (const VerifyCheck& check : report.checks) {
        Json examples = Json::array();
        for (const Difference& difference : check.examples) {
            examples.push_back(
                {{"place", difference.place}, {"source", difference.source}, {"result", difference.result}});
        }
        checks.push_back({{"name", check.name},
                          {"compared", check.compared},
                          {"differences", check.differences},
                          {"examples", std::move(examples)}});
    }
    return checks;
}

Json scenes_json(const VerifyReport& report) {
    Json scenes = Json::array();
    for (const SceneQuality& scene : report.scenes) {
        scenes.push_back({{"first_frame", scene.first_frame},
                          {"frames", scene.frames},
                          {"start_s", scene.start_s},
                          {"psnr_db", scene.psnr_db},
                          {"ssim", scene.ssim},
                          {"blurred_psnr_db", scene.blurred_psnr_db},
                          {"worst_frame_db", scene.worst_frame_db},
                          {"worst_frame", scene.worst_frame},
                          {"level_shift", scene.level_shift}});
    }
    return scenes;
}

Json options_json(const VerifyOptions& options) {
    return {{"input", options.input.string()},
            {"output", options.output.string()},
            {"video_stream", options.video_stream ? Json(*options.video_stream) : Json(nullptr)},
            {"audio", options.audio},
            {"left_out", options.left_out},
            {"convert_subtitles", options.convert_subtitles},
            {"turned", options.turned},
            {"fields_kept", options.fields_kept},
            {"pixel_format", options.pixel_format},
            {"time_tolerance_s", options.time_tolerance_s},
            {"psnr_margin_db", options.psnr_margin_db},
            {"frame_drop_db", options.frame_drop_db},
            {"level_tolerance", options.level_tolerance},
            {"threads", options.threads}};
}

}   // namespace

std::string to_json(const VerifyReport& report) {
    const Json json = {{"holds", report.holds()},
                       {"options", options_json(report.options)},
                       {"source_frames", report.source_frames},
                       {"result_frames", report.result_frames},
                       {"checks", checks_json(report)},
                       {"scenes", scenes_json(report)},
                       {"notes", report.notes},
                       {"wall_s", report.wall_s}};
    // Tags and file names may hold bytes that are no UTF-8: shown as U+FFFD rather than failing.
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const VerifyReport& report) {
    std::string text;
    for (const VerifyCheck& check : report.checks) {
        text += check_text(check);
        if (check.name == "scenes") {
            text += scenes_text(report);
        }
    }
    for (const std::string& note : report.notes) {
        text += "note: " + note + "\n";
    }
    const std::int64_t differences = report.differences();
    text += report.options.output.string() +
            (report.holds() ? " holds what its source promises"
                            : " differs from its source in " + counted(differences, "place", "places")) +
            " (" + counted(report.source_frames, "frame", "frames") + ", " + fixed(report.wall_s, 1) + " s)\n";
    return text;
}

}   // namespace millstream
