#include "verify/scene_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "verify/picture_measures.h"
#include "verify/words.h"

namespace millstream {
namespace {

// Note [Against a blurred source]
// No fixed PSNR tells a good result from a bad one: made small again, an enhanced flat cartoon comes back at 45 dB, and
// noise that the network has removed never comes back. Both follow how much fine detail the source has. So a scene is
// held against the source's own PSNR after a 5x5 box: where there is little detail both are high, in noise both are
// low. Above kEncoderDb the encoder's own losses decide, not the detail.
constexpr double kEncoderDb = 40;

double reference_db(double detail) {
    return std::min(psnr_db(detail), kEncoderDb);
}

constexpr std::size_t kWorst = 10;
// Margins from -50 to 50 dB in steps of a quarter.
constexpr double kLowest = -50;
constexpr double kStep = 0.25;
constexpr std::size_t kBins = 400;

std::size_t bin_of(double margin_db) {
    const double at = std::clamp((margin_db - kLowest) / kStep, 0.0, static_cast<double>(kBins - 1));
    return static_cast<std::size_t>(at);
}

std::string scene_words(const SceneQuality& scene) {
    return "scene from frame " + std::to_string(scene.first_frame) + " (" + fixed(scene.start_s, 3) + " s, " +
           std::to_string(scene.frames) + " frames)";
}

}   // namespace

void SceneMeasures::add(const FrameMeasures& frame, bool begins_scene) {
    if (scene_.frames == 0 || begins_scene) {
        end_scene();
        scene_ = {};
        scene_.first_frame = frame.frame;
        scene_.start_s = frame.time_s;
        scene_.worst_frame_db = 1000;
        scene_.level_shift.assign(frame.shift.size(), 0);
        histogram_.assign(kBins, 0);
    }
    ++scene_.frames;
    mse_ += frame.mse;
    detail_ += frame.detail;
    scene_.ssim += frame.ssim;
    for (std::size_t i = 0; i < frame.shift.size(); ++i) {
        scene_.level_shift[i] += frame.shift[i];
    }
    const double psnr = psnr_db(frame.mse);
    if (psnr < scene_.worst_frame_db) {
        scene_.worst_frame_db = psnr;
        scene_.worst_frame = frame.frame;
    }
    const Frame measured{frame.frame, frame.time_s, psnr, std::min(psnr, 50.0) - reference_db(frame.detail)};
    ++histogram_[bin_of(measured.margin_db)];
    const auto place = std::upper_bound(worst_.begin(), worst_.end(), measured,
                                        [](const Frame& a, const Frame& b) { return a.margin_db < b.margin_db; });
    worst_.insert(place, measured);
    worst_.resize(std::min(worst_.size(), kWorst));
}

double SceneMeasures::median_margin_db() const {
    std::int64_t below = 0;
    for (std::size_t bin = 0; bin < kBins; ++bin) {
        below += histogram_[bin];
        if (2 * below >= scene_.frames) {
            return kLowest + kStep * (static_cast<double>(bin) + 0.5);
        }
    }
    return 0;
}

void SceneMeasures::end_scene() {
    if (scene_.frames == 0) {
        return;
    }
    const auto frames = static_cast<double>(scene_.frames);
    scene_.psnr_db = psnr_db(mse_ / frames);
    scene_.blurred_psnr_db = psnr_db(detail_ / frames);
    scene_.ssim /= frames;
    for (double& shift : scene_.level_shift) {
        shift /= frames;
    }
    judge_scene(scene_);
    judge_frames();
    judge_levels(scene_);
    scenes_.push_back(scene_);
    mse_ = 0;
    detail_ = 0;
    worst_.clear();
}

void SceneMeasures::judge_scene(const SceneQuality& scene) {
    findings_.compared(CheckKind::scenes);
    const double least = std::min(scene.blurred_psnr_db, kEncoderDb) - options_.psnr_margin_db;
    if (scene.psnr_db < least) {
        findings_.differ(CheckKind::scenes, {scene_words(scene), "PSNR at least " + fixed(least, 1) + " dB",
                                             fixed(scene.psnr_db, 1) + " dB"});
    }
}

// A damaged frame stands out of its scene, whatever the network does to the scene as a whole.
void SceneMeasures::judge_frames() {
    findings_.compared(CheckKind::damaged_frames, scene_.frames);
    const double least = median_margin_db() - options_.frame_drop_db;
    std::int64_t count = 0;
    for (std::size_t bin = 0; bin < kBins; ++bin) {
        const bool below = kLowest + kStep * static_cast<double>(bin + 1) <= least;
        count += below ? histogram_[bin] : 0;
    }
    for (const Frame& frame : worst_) {
        if (frame.margin_db < least) {
            const double usual = frame.psnr_db - frame.margin_db + least + options_.frame_drop_db;
            findings_.differ(CheckKind::damaged_frames, {frame_words(frame.frame, frame.time_s),
                                                         "about " + fixed(usual, 1) + " dB as in the rest of its scene",
                                                         fixed(frame.psnr_db, 1) + " dB"});
            --count;
        }
    }
    if (count > 0) {
        findings_.differ(CheckKind::damaged_frames,
                         {scene_words(scene_), "", std::to_string(count) + " more such frames"}, count);
    }
}

void SceneMeasures::judge_levels(const SceneQuality& scene) {
    constexpr std::array<const char*, 3> kPlanes = {"first plane (luma or red)", "second plane (Cb or green)",
                                                    "third plane (Cr or blue)"};
    for (std::size_t plane = 0; plane < scene.level_shift.size(); ++plane) {
        findings_.compared(CheckKind::levels);
        if (std::abs(scene.level_shift[plane]) > options_.level_tolerance) {
            findings_.differ(CheckKind::levels, {scene_words(scene) + ", " + kPlanes.at(plane),
                                                 "mean shift at most " + fixed(options_.level_tolerance, 1) + " of 255",
                                                 fixed(scene.level_shift[plane], 2) + " of 255"});
        }
    }
}

std::vector<SceneQuality> SceneMeasures::finish() {
    end_scene();
    return std::move(scenes_);
}

}   // namespace millstream
