#include "resource/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;

/// A folder with the files of /proc and /sys that a test needs.
class FakeSystem : public testing::Test {
protected:
    FakeSystem() { fs::create_directories(root_); }
    ~FakeSystem() override { fs::remove_all(root_); }
    void write(const fs::path& file, const std::string& text) const {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    const fs::path root_ = fs::path(testing::TempDir()) / ("millstream_root_" + std::to_string(::getpid()));
};

TEST_F(FakeSystem, reads_resident_memory_in_bytes) {
    write("proc/self/status", "Name:\tmillstream\nVmHWM:\t    2048 kB\nVmRSS:\t    1604 kB\nRssAnon:\t 7 kB\n");
    EXPECT_EQ(resident_bytes(root_), 1604 * kKiB);
    EXPECT_EQ(peak_resident_bytes(root_), 2 * kMiB);
}

TEST_F(FakeSystem, reads_available_memory_and_adds_it_up_on_old_kernels) {
    write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 640 kB\nBuffers: 20 kB\nCached: 300 kB\n");
    EXPECT_EQ(available_memory(root_), 640 * kKiB);
    write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 300 kB\nSwapCached: 5 kB\n");
    EXPECT_EQ(available_memory(root_), 420 * kKiB);
}

TEST_F(FakeSystem, takes_the_smallest_limit_up_to_the_root_of_a_v2_tree) {
    write("proc/self/cgroup", "0::/user.slice/job.scope\n");
    write("sys/fs/cgroup/user.slice/job.scope/memory.max", "max\n");
    EXPECT_EQ(cgroup_memory_limit(root_), std::nullopt);
    write("sys/fs/cgroup/user.slice/memory.max", "3221225472\n");
    EXPECT_EQ(cgroup_memory_limit(root_), 3 * kGiB);
    write("sys/fs/cgroup/user.slice/job.scope/memory.max", "4294967296\n");
    EXPECT_EQ(cgroup_memory_limit(root_), 3 * kGiB);
    write("sys/fs/cgroup/user.slice/job.scope/memory.high", "2147483648\n");
    EXPECT_EQ(cgroup_memory_limit(root_), 2 * kGiB) << "above it the kernel slows the process down";
    EXPECT_EQ(memory_pressure_file(root_), root_ / "proc/pressure/memory");
    write("sys/fs/cgroup/user.slice/memory.pressure", "some avg10=1.50 avg60=1.00 avg300=0.10 total=5\n");
    EXPECT_EQ(memory_pressure_file(root_), root_ / "sys/fs/cgroup/user.slice/memory.pressure");
}

TEST_F(FakeSystem, finds_the_limit_of_a_v1_memory_controller) {
    write("proc/self/cgroup", "9:name=systemd:/\n4:hugetlb,memory:/jobs/7\n0::/\n");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");   // how v1 says "none"
    EXPECT_EQ(cgroup_memory_limit(root_), std::nullopt);
    write("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "2147483648\n");
    EXPECT_EQ(cgroup_memory_limit(root_), 2 * kGiB);
}

TEST_F(FakeSystem, uses_the_mount_point_where_the_path_is_the_hosts) {
    write("proc/self/cgroup", "4:memory:/docker/0123abcd\n0::/../other\n");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    EXPECT_EQ(cgroup_memory_limit(root_), kGiB);
}

TEST_F(FakeSystem, budgets_sixty_percent_of_the_smaller_of_limit_and_available_memory) {
    write("proc/meminfo", "MemAvailable: 4194304 kB\n");
    EXPECT_EQ(default_memory_budget(root_), 2457 * kMiB);   // 0.6 * 4096 = 2457.6
    write("proc/self/cgroup", "0::/job\n");
    write("sys/fs/cgroup/job/memory.max", "1048576000\n");
    EXPECT_EQ(default_memory_budget(root_), 600 * kMiB);
}

TEST_F(FakeSystem, survives_files_that_are_missing_or_garbled) {
    EXPECT_EQ(resident_bytes(root_), 0U);
    EXPECT_EQ(available_memory(root_), 0U);
    EXPECT_EQ(cgroup_memory_limit(root_), std::nullopt);
    write("proc/self/cgroup", "nonsense\n0::/a\n");
    write("sys/fs/cgroup/a/memory.max", "12 monkeys");
    write("sys/fs/cgroup/memory.max", "-5");
    EXPECT_EQ(cgroup_memory_limit(root_), 12U);
}

TEST(ThisProcess, is_resident_and_never_above_its_peak) {
    const std::uint64_t before = resident_bytes();
    ASSERT_GT(before, 100 * kKiB);
    std::vector<char> pages(64 * kMiB, 1);
    EXPECT_GE(resident_bytes(), before + 60 * kMiB);
    EXPECT_GE(peak_resident_bytes(), resident_bytes());
    EXPECT_EQ(pages.back(), 1);
    EXPECT_GT(default_memory_budget(), 0U);
    EXPECT_GE(process_cpu_seconds(), 0.0);
}

TEST(FreeDisk, is_that_of_the_nearest_folder_that_exists) {
    const fs::path folder = testing::TempDir();
    EXPECT_GT(free_disk(folder), 0U);
    EXPECT_GT(free_disk(folder / "not" / "there" / "yet.mp4"), 0U);
    EXPECT_GT(free_disk("relative.mp4"), 0U);
}

TEST(AllowedDisk, follows_each_form_of_the_limit) {
    EXPECT_EQ(allowed_disk({}, 1000), 800U);
    EXPECT_EQ(allowed_disk({.percent = 12.5}, 80 * kGiB), 10 * kGiB);
    EXPECT_EQ(allowed_disk({.kind = DiskLimit::Kind::bytes, .bytes = 300}, 1000), 300U);
    EXPECT_EQ(allowed_disk({.kind = DiskLimit::Kind::bytes, .bytes = 3000}, 1000), 1000U);
    EXPECT_EQ(allowed_disk({.kind = DiskLimit::Kind::none}, 1000), 1000U);
}

}   // namespace
}   // namespace millstream
