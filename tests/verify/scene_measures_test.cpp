#include "verify/scene_measures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace millstream {
namespace {

double mse_of(double db) {
    return std::pow(10, -db / 10);
}

struct Judged {
    VerifyReport report;
    [[nodiscard]] const VerifyCheck& check(CheckKind kind) const {
        return report.checks.at(static_cast<std::size_t>(kind));
    }
};

// Scenes of frames with the PSNR given, in a source whose blurred self is at `blurred_db`.
Judged judge(const std::vector<std::vector<double>>& scenes, double blurred_db, std::vector<double> shift = {0, 0, 0}) {
    Judged judged;
    Findings findings;
    SceneMeasures measures(judged.report.options, findings);
    std::int64_t frame = 0;
    for (const auto& scene : scenes) {
        bool first = true;
        for (const double db : scene) {
            measures.add({frame, static_cast<double>(frame) / 24, mse_of(db), 0.9, mse_of(blurred_db), shift}, first);
            first = false;
            ++frame;
        }
    }
    judged.report.scenes = measures.finish();
    findings.fill(judged.report);
    return judged;
}

TEST(SceneMeasures, average_errors_and_not_decibels) {
    const Judged judged = judge({{30, 40}}, 30);
    ASSERT_EQ(judged.report.scenes.size(), 1U);
    const SceneQuality& scene = judged.report.scenes[0];
    EXPECT_NEAR(scene.psnr_db, -10 * std::log10((mse_of(30) + mse_of(40)) / 2), 1e-9);
    EXPECT_NEAR(scene.worst_frame_db, 30, 1e-9);
    EXPECT_EQ(scene.worst_frame, 0);
    EXPECT_NEAR(scene.ssim, 0.9, 1e-9);
}

TEST(SceneMeasures, hold_a_scene_against_the_blurred_source) {
    EXPECT_EQ(judge({{28, 28, 28}}, 30).check(CheckKind::scenes).differences, 0);
    const Judged bad = judge({{33, 33}, {15, 15, 15}}, 30);
    EXPECT_EQ(bad.check(CheckKind::scenes).differences, 1);
    EXPECT_THAT(bad.check(CheckKind::scenes).examples.at(0).place, testing::HasSubstr("from frame 2 ("));
}

TEST(SceneMeasures, do_not_ask_an_encoder_for_more_than_it_gives) {
    EXPECT_EQ(judge({{42, 42, 42}}, 60).check(CheckKind::scenes).differences, 0);   // a flat picture
}

TEST(SceneMeasures, name_a_frame_that_falls_out_of_its_scene) {
    std::vector<double> scene(50, 38);
    scene[17] = 20;
    const VerifyCheck check = judge({std::vector<double>(20, 45), scene}, 30).check(CheckKind::damaged_frames);
    EXPECT_EQ(check.differences, 1);
    EXPECT_EQ(check.compared, 70);
    EXPECT_THAT(check.examples.at(0).place, testing::StartsWith("frame 37 ("));
    EXPECT_EQ(check.examples.at(0).result, "20.0 dB");
}

TEST(SceneMeasures, count_every_damaged_frame_and_name_the_worst) {
    std::vector<double> scene(100, 38);
    std::fill(scene.begin(), scene.begin() + 30, 15.0);
    const VerifyCheck check = judge({scene}, 30).check(CheckKind::damaged_frames);
    EXPECT_EQ(check.differences, 30);
    EXPECT_EQ(check.examples.size(), 10U);
}

TEST(SceneMeasures, report_a_plane_whose_mean_has_moved) {
    const VerifyCheck check = judge({{38, 38}}, 30, {0.5, -3.25, 0}).check(CheckKind::levels);
    EXPECT_EQ(check.differences, 1);
    EXPECT_THAT(check.examples.at(0).place, testing::HasSubstr("Cb"));
    EXPECT_EQ(check.examples.at(0).result, "-3.25 of 255");
}

}   // namespace
}   // namespace millstream
