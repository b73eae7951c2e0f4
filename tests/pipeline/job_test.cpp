// Whole jobs through the public API, and what their reports count.
#include "millstream/job.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "millstream/error.h"

namespace millstream {
namespace {

// A folder of its own for a test, gone with it.
class Job : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-job-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    // 30 moving frames of `size` with B-frames and a tone, made by the ffmpeg command.
    Options options(const std::string& size) {
        const auto input = folder_ / "in.mp4";
        const std::string command = "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=size=" + size +
                                    ":rate=24:duration=1.25 -f lavfi -i sine=duration=1.25 -c:v libx264 -preset "
                                    "veryfast -bf 2 -pix_fmt yuv420p " +
                                    input.string();
        EXPECT_EQ(std::system(command.c_str()), 0) << command;
        Options result;
        result.input = input;
        result.output = folder_ / "out.mp4";
        result.model = "identity";
        result.scale = 1;
        result.preset = "ultrafast";
        return result;
    }

    std::filesystem::path folder_;
};

class CountingObserver : public Observer {
public:
    void on_plan(const Plan& plan) override { frames_planned = plan.frames; }
    void on_progress(const Progress& progress) override {
        EXPECT_GE(progress.frames_done, last.frames_done);
        EXPECT_GE(progress.fraction, last.fraction);
        last = progress;
    }
    std::int64_t frames_planned = 0;
    Progress last;
};

TEST_F(Job, r2_4_r2_5_r3_1_counts_what_the_plan_promised) {
    CountingObserver observer;
    const Report report = enhance(options("160x90"), &observer);
    EXPECT_EQ(report.frames, 30);
    EXPECT_EQ(observer.frames_planned, 30);
    EXPECT_EQ(observer.last.frames_done, 30);
    EXPECT_DOUBLE_EQ(observer.last.fraction, 1.0);
    EXPECT_EQ(report.model_loads, 1);
    EXPECT_DOUBLE_EQ(report.copies_per_frame, 0.0);
    EXPECT_GE(report.peak_live_frames, 1);
    EXPECT_LE(report.peak_live_frames, report.plan.live_frames);
    EXPECT_EQ(report.decode_errors, 0);
    EXPECT_TRUE(report.warnings.empty());
    EXPECT_EQ(report.output_bytes, std::filesystem::file_size(report.plan.options.output));
    EXPECT_GT(report.plan.disk.predicted_output, 0U);
}

TEST_F(Job, tiles_are_copied_once_each_way) {
    Options tiled = options("160x90");
    tiled.tile = 64;
    const Report report = enhance(tiled);
    EXPECT_GT(report.plan.tiles_per_frame, 1);
    EXPECT_NEAR(report.copies_per_frame, 2.0, 1e-9);
    EXPECT_LE(report.peak_live_frames, report.plan.live_frames);
}

TEST_F(Job, the_bound_on_live_frames_holds_for_every_way_to_run) {
    for (const Runner runner : {Runner::serial, Runner::threaded}) {
        for (const int batch : {1, 2, 5}) {
            Options job = options("64x48");
            job.runner = runner;
            job.batch = batch;
            job.overwrite = true;
            const Report report = enhance(job);
            EXPECT_EQ(report.frames, 30);
            EXPECT_LE(report.peak_live_frames, report.plan.live_frames) << "batch " << batch;
        }
    }
}

TEST_F(Job, a_stop_request_before_the_first_frame_leaves_nothing) {
    const Options job = options("64x48");
    std::stop_source stop;
    stop.request_stop();
    try {
        enhance(job, nullptr, stop.get_token());
        FAIL() << "a stopped job must not return";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::interrupted) << error.what();
    }
    EXPECT_FALSE(std::filesystem::exists(job.output));
    EXPECT_FALSE(std::filesystem::exists(job.output.string() + ".part"));
}

TEST_F(Job, an_observer_that_throws_ends_the_job_with_its_own_exception) {
    class Thrower : public Observer {
        void on_progress(const Progress&) override { throw std::runtime_error("enough"); }
    } thrower;
    const Options job = options("160x90");
    EXPECT_THROW(enhance(job, &thrower), std::runtime_error);
    EXPECT_FALSE(std::filesystem::exists(job.output));
    EXPECT_FALSE(std::filesystem::exists(job.output.string() + ".part"));
}

TEST_F(Job, plan_and_report_are_json_with_the_names_of_the_structs) {
    const Report report = enhance(options("64x48"));
    const auto json = nlohmann::json::parse(to_json(report));
    EXPECT_EQ(json.at("frames"), 30);
    EXPECT_EQ(json.at("peak_vram_bytes"), nullptr);
    EXPECT_EQ(json.at("plan").at("output_size").at("width"), 64);
    EXPECT_EQ(json.at("plan").at("options").at("disk_limit").at("percent"), 80.0);
    EXPECT_EQ(nlohmann::json::parse(to_json(report.plan)), json.at("plan"));
}

TEST_F(Job, a_disk_that_is_too_small_is_refused_with_every_number) {
    Options job = options("160x90");
    job.disk_limit = {.kind = DiskLimit::Kind::bytes, .percent = 0, .bytes = 1000};
    try {
        enhance(job);
        FAIL() << "must be refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::refused);
        const std::string text = error.what();
        for (const char* number : {"predicted", "checkpoint 64 KiB", "1000 B", "free"}) {
            EXPECT_NE(text.find(number), std::string::npos) << text;
        }
    }
    EXPECT_FALSE(std::filesystem::exists(job.output.string() + ".part"));
}

}   // namespace
}   // namespace millstream
