// Whole jobs through the public API, and what their reports count.
#include "millstream/job.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "millstream/batch.h"
#include "millstream/error.h"
#include "pipeline/output_checks.h"
#include "pipeline/stages.h"

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

TEST_F(Job, names_the_device_in_plan_and_report_and_refuses_one_that_is_not_there) {
    Options job = options("64x48");
    job.device = "cpu";
    const Report report = enhance(job);
    EXPECT_EQ(report.device, "cpu");
    EXPECT_EQ(report.device_name, report.plan.device_name);
    EXPECT_FALSE(report.device_name.empty());
    EXPECT_FALSE(report.device_traffic);
    EXPECT_EQ(report.plan.memory.vram, 0U);
    job.device = "cuda:98";
    job.overwrite = true;
    try {
        make_plan(job);
        FAIL() << "there are no 99 devices";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_NE(error.context().hint.find("cpu (" + report.device_name + ")"), std::string::npos) << error.what();
    }
}

TEST_F(Job, r3_1_several_videos_load_the_network_once_and_one_that_fails_does_not_stop_the_others) {
    BatchOptions batch;
    batch.each = options("64x48");
    for (const char* name : {"b.mp4", "c.mp4"}) {
        std::filesystem::copy(folder_ / "in.mp4", folder_ / name);
    }
    std::ofstream(folder_ / "broken.mkv") << "no video";
    batch.inputs = {folder_ / "in.mp4", folder_ / "broken.mkv", folder_ / "b.mp4", folder_ / "c.mp4"};
    batch.folder = folder_ / "out";
    batch.each.reports = {folder_ / "run.json"};
    const BatchReport report = enhance_all(batch);
    ASSERT_EQ(report.items.size(), 4U);
    EXPECT_EQ(report.count(BatchItem::Outcome::done), 3U);
    EXPECT_EQ(report.items[1].outcome, BatchItem::Outcome::failed);
    EXPECT_EQ(report.exit_code(), 3);
    std::int64_t loads = 0;
    for (const BatchItem& item : report.items) {
        loads += item.report ? item.report->model_loads : 0;
    }
    EXPECT_EQ(loads, 1);
    for (const char* name : {"in", "b", "c"}) {
        EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / (std::string(name) + ".mp4"))) << name;
        EXPECT_TRUE(std::filesystem::exists(folder_ / (std::string(name) + ".mp4.run.json"))) << name;
    }
}

TEST_F(Job, several_videos_stop_at_the_first_failure_where_that_is_asked_and_leave_what_is_done) {
    BatchOptions batch;
    batch.each = options("64x48");
    std::ofstream(folder_ / "broken.mkv") << "no video";
    batch.inputs = {folder_ / "broken.mkv", folder_ / "in.mp4"};
    batch.folder = folder_ / "out";
    batch.fail_fast = true;
    EXPECT_EQ(enhance_all(batch).items[1].outcome, BatchItem::Outcome::waiting);
    batch.fail_fast = false;
    EXPECT_EQ(enhance_all(batch).items[1].outcome, BatchItem::Outcome::done);
    const auto written = std::filesystem::last_write_time(folder_ / "out" / "in.mp4");
    EXPECT_EQ(enhance_all(batch).items[1].outcome, BatchItem::Outcome::exists);
    EXPECT_EQ(std::filesystem::last_write_time(folder_ / "out" / "in.mp4"), written);
}

TEST(Batch, one_output_for_two_inputs_is_refused) {
    BatchOptions batch;
    batch.folder = "out";
    batch.inputs = {"a/film.mp4", "b/film.mp4"};
    EXPECT_THROW(batch_jobs(batch), Error);
    batch.inputs = {"a/film.mp4", "b/film.avi"};
    const std::vector<Options> jobs = batch_jobs(batch);
    EXPECT_EQ(jobs[0].output, "out/film.mp4");
    EXPECT_EQ(jobs[1].output, "out/film.mkv") << "no container that is written";
}

TEST(Batch, the_exit_code_is_that_of_the_worst_failure) {
    BatchReport report;
    const auto failed = [&report](ErrorKind kind) {
        report.items.push_back({.outcome = BatchItem::Outcome::failed, .error = Error(kind, {})});
        return report.exit_code();
    };
    EXPECT_EQ(report.exit_code(), 0);
    report.items.push_back({.outcome = BatchItem::Outcome::done, .report = Report{}});
    EXPECT_EQ(report.exit_code(), 0);
    EXPECT_EQ(failed(ErrorKind::usage), 2);
    EXPECT_EQ(failed(ErrorKind::input), 3);
    EXPECT_EQ(failed(ErrorKind::resource), 6);
    EXPECT_EQ(failed(ErrorKind::refused), 6);
    EXPECT_EQ(failed(ErrorKind::interrupted), 130);
}

// A back-off that changed the precision happens where memory is short and the hardware has another one: here the frames
// only say so.
TEST_F(Job, a_checkpoint_holds_the_precision_of_the_next_frame_and_a_later_run_goes_on_in_it) {
    Options asked = options("64x48");
    asked.backend = Backend::torch;
    asked.chunk = {ChunkLength::Kind::frames, 0, 24};
    const PreparedJob job = prepare(asked);
    // What the processor would take by itself, and what it would not.
    const Precision first = job.executor.precision;
    const Precision later = first == Precision::fp32 ? Precision::bf16 : Precision::fp32;
    const std::string later_name = first == Precision::fp32 ? "bf16" : "fp32";
    {
        VideoOutput output({.path = partial_path(asked.output),
                            .container = job.plan.container,
                            .encoder = job.encoder,
                            .carried = job.carried,
                            .index_bytes = job.index_bytes,
                            .checkpoint = checkpoint_path(asked.output),
                            .begun = begun_text(),
                            .files = &system_files()},
                           job.source);
        ChunkCommitter committer(job, identify(asked.input), output, system_files());
        EncodeProgress progress;
        EncodeStage encode(output, committer, Chunks(24), progress);
        VideoDecoder decoder(job.source, {});
        ToTensorStage to_tensor(job.source.video().video->format, 64, 48);
        ToPictureStage to_picture({64, 48}, job.encoder);
        LiveFrames live;
        for (std::int64_t i = 0; i < 26; ++i) {
            Frame frame(live, i);
            frame.source = decoder.next().value();
            frame.pts = frame.source.pts;
            frame.duration = frame.source.duration;
            frame.source_hash = hash_of(frame.source);
            frame.precision = i < 23 ? first : later;
            to_tensor.process(std::move(frame), [&](Item converted) {
                std::get<Frame>(converted).output = std::get<Frame>(converted).input;
                to_picture.process(std::move(converted), [&](Item picture) { encode.process(std::move(picture), {}); });
            });
        }
    }
    EXPECT_EQ(read_checkpoint(checkpoint_path(asked.output)).value().resolved.precision, later_name);
    const Report report = enhance(asked);
    EXPECT_EQ(report.resumed_frames, 24);
    EXPECT_EQ(report.frames, 30);
    EXPECT_EQ(report.plan.precision, later_name);
    EXPECT_EQ(report.precision, later_name);
}

}   // namespace
}   // namespace millstream
