// Memory that runs out anywhere in a whole job with default options: tensors of every stage, pictures and frames.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <string>

#include "base/cpu.h"
#include "millstream/error.h"
#include "pipeline/failing_allocator.h"
#include "pipeline/job.h"

namespace {

// What the pools of frames and pictures allocate: aligned arrays. 0 = nothing is counted.
std::atomic<int> fail_at{0};
std::atomic<int> allocations{0};

}   // namespace

void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    if (fail_at.load() > 0 && allocations.fetch_add(1) + 1 == fail_at.load()) {
        throw std::bad_alloc();
    }
    const auto to = static_cast<std::size_t>(alignment);
    void* const memory = std::aligned_alloc(to, (bytes + to - 1) / to * to);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
    std::free(memory);
}

namespace millstream {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class MemoryFaults : public testing::Test {
protected:
    static constexpr int kFrames = 8;

    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-fault-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        // Moves, then stands still: areas are computed and reused, and whole frames.
        const std::string command =
            "ffmpeg -v error -nostdin -y -f lavfi -i "
            "testsrc2=size=64x48:rate=24:duration=0.2,tpad=stop=3:stop_mode=clone"
            " -frames:v " +
            std::to_string(kFrames) + " -c:v libx264 -preset veryfast -pix_fmt yuv420p " +
            (folder_ / "in.mkv").string();
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    // Default options but for what makes two runs the same to the bit, and quick.
    [[nodiscard]] Options options() const {
        Options job;
        job.input = folder_ / "in.mkv";
        job.output = folder_ / "out.mp4";   // Matroska files have a random number in them
        job.overwrite = true;
        job.resume = Resume::never;
        job.precision = Precision::fp32;
        job.preset = "ultrafast";
        return job;
    }

    std::filesystem::path folder_;
    ModelShelf models_;
};

TEST_F(MemoryFaults, r6_4_whatever_allocation_of_a_whole_job_fails_it_is_done_all_the_same_or_ends_with_exit_code_6) {
    const Options job = options();
    int tensors = 0;
    {
        const FailingAllocator watched(0);
        try {
            const Report report = enhance_with(models_, system_files(), job);
            ASSERT_EQ(report.frames, kFrames);
            ASSERT_EQ(report.model_loads, 1);
            ASSERT_TRUE(report.reuse && report.reuse->share_computed < 1);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::model) {
                GTEST_SKIP() << error.what();
            }
            throw;
        }
        tensors = watched.count();
    }
    const std::string wanted = bytes_of(job.output);
    int done = 0;
    int ended = 0;
    int with_less = 0;
    const auto run_once_more = [&](const std::string& which) {
        try {
            const Report report = enhance_with(models_, system_files(), job);
            EXPECT_EQ(report.frames, kFrames) << which;
            EXPECT_EQ(report.model_loads, 0) << which << ": the network is on the shelf, also behind a back-off";
            EXPECT_TRUE(bytes_of(job.output) == wanted) << which << ": a frame is lost, repeated or another";
            with_less += report.backoffs.empty() ? 0 : 1;
            ++done;
        } catch (const Error& error) {
            EXPECT_EQ(error.exit_code(), 6) << which << ": " << error.what();
            EXPECT_FALSE(error.context().hint.empty()) << which << ": " << error.what();
            ++ended;
        }
    };
    constexpr int kRuns = 40;   // of each kind, spread over the whole job
    for (int n = 1; n <= tensors; n += std::max(1, tensors / kRuns)) {
        const FailingAllocator failing(n);
        run_once_more("tensor " + std::to_string(n) + " of " + std::to_string(tensors));
    }
    fail_at = 1 << 30;
    allocations = 0;
    enhance_with(models_, system_files(), job);
    const int arrays = allocations.load();
    for (int n = 1; n <= arrays; n += std::max(1, arrays / kRuns)) {
        allocations = 0;
        fail_at = n;
        run_once_more("array " + std::to_string(n) + " of " + std::to_string(arrays));
    }
    fail_at = 0;
    std::cout << tensors << " tensors, " << arrays << " arrays: " << done << " runs done, " << with_less
              << " of them with less at a time, " << ended << " ended\n";
    EXPECT_GT(with_less, 0);
    EXPECT_GT(done, ended) << "most of what fails can be done again";
    EXPECT_GT(tensors, 20 * kFrames);
    EXPECT_GT(arrays, kFrames / 2);
}

}   // namespace
}   // namespace millstream
