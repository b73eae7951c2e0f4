// What one video's failure means for the others of a batch.
#include "millstream/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "pipeline/failing_allocator.h"
#include "pipeline/report_figures.h"

namespace millstream {
namespace {

using testing::HasSubstr;

// Two small videos and a folder for what becomes of them, gone with it.
class EnhanceAll : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-batch-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        for (const char* name : {"a.mkv", "b.mkv"}) {
            batch_.inputs.push_back(folder_ / name);
            const std::string command =
                "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=size=64x48:rate=24:duration=0.2 " +
                batch_.inputs.back().string();
            ASSERT_EQ(std::system(command.c_str()), 0) << command;
        }
        batch_.folder = folder_ / "out";
        batch_.each.model = "identity";
        batch_.each.scale = 1;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
    BatchOptions batch_;
};

TEST_F(EnhanceAll, goes_on_with_the_next_video_where_memory_ran_out_for_one) {
    BatchReport report;
    {
        const FailingAllocator failing(1);
        report = enhance_all(batch_);
    }
    ASSERT_EQ(report.items.size(), 2U);
    EXPECT_EQ(report.items[1].outcome, BatchItem::Outcome::done);
    if (report.items[0].outcome == BatchItem::Outcome::failed) {   // what can be done again is
        EXPECT_EQ(report.items[0].error->kind(), ErrorKind::resource);
        EXPECT_EQ(report.exit_code(), 6);
    }
}

TEST_F(EnhanceAll, ends_with_what_an_observer_throws) {
    class Thrower : public BatchObserver {
        void on_plan(const Plan& /*plan*/) override { throw std::runtime_error("enough"); }
    } thrower;
    EXPECT_THROW(enhance_all(batch_, &thrower), std::runtime_error);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out" / "b.mkv"));
}

TEST(FailureOf, calls_a_defect_so_and_a_lack_of_memory_what_it_is) {
    const auto of = [](const auto& exception) { return failure_of(std::make_exception_ptr(exception)); };
    EXPECT_EQ(of(std::runtime_error("nobody has thought of this")).exit_code, 1);
    EXPECT_THAT(of(std::runtime_error("nobody has thought of this")).context.hint, HasSubstr("report it"));
    EXPECT_EQ(of(std::bad_alloc()).exit_code, 6);
    EXPECT_EQ(of(std::runtime_error("DefaultCPUAllocator: can't allocate memory")).exit_code, 6);
    EXPECT_THAT(of(std::bad_alloc()).context.hint, HasSubstr("--max-memory"));
    EXPECT_EQ(of(Error(ErrorKind::input, {"", "", "", ""})).exit_code, 3);
}

}   // namespace
}   // namespace millstream
