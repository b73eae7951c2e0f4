#include "resource/system_figures.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/bytes.h"
#include "resource/file_ledger.h"
#include "resource/memory.h"

namespace millstream {
namespace {

// /proc and /sys as a test wants them.
class FakeMachine : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-system-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }
    void file(const std::string& path, const std::string& text) {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text;
    }
    std::filesystem::path root_;
};

class TestDevice : public DeviceMemory {
public:
    DeviceFigures read() override { return figures; }
    DeviceFigures figures;
};

TEST_F(FakeMachine, every_figure_comes_from_where_the_kernel_shows_it) {
    file("proc/self/status", "VmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n");
    file("proc/meminfo", "MemTotal:  8192 kB\nMemFree: 1 kB\nMemAvailable:  4096 kB\n");
    file("proc/self/io", "rchar: 1\nread_bytes: 100\nwrite_bytes: 200\n");
    file("proc/self/cgroup", "0::/box\n");
    file("sys/fs/cgroup/box/memory.max", "1000000\n");
    file("sys/fs/cgroup/box/memory.current", "700000\n");
    file("sys/fs/cgroup/box/memory.stat", "anon 1\ninactive_file 200000\nactive_file 3\n");
    file("proc/pressure/memory", "some avg10=12.50 avg60=1.00 avg300=0.10 total=5\nfull avg10=1.00\n");
    file("sys/class/hwmon/hwmon0/name", "k10temp\n");
    file("sys/class/hwmon/hwmon0/temp1_input", "61250\n");
    file("sys/class/hwmon/hwmon0/temp2_input", "48000\n");
    file("sys/class/hwmon/hwmon1/name", "nvme\n");
    file("sys/class/hwmon/hwmon1/temp1_input", "90000\n");
    file("sys/class/powercap/intel-rapl:0/energy_uj", "999000000\n");
    file("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "1000000000\n");
    file("sys/class/powercap/intel-rapl:0:0/energy_uj", "1\n");   // a part of the first: not counted again
    const auto device = std::make_shared<TestDevice>();
    device->figures = {.used_by_process = kGiB, .used = 2 * kGiB, .total = 6 * kGiB, .celsius = 70, .joules = 1000};
    SystemFigures figures(root_, device, root_);
    figures.read();
    file("proc/self/io", "rchar: 1\nread_bytes: 5100\nwrite_bytes: 8392\n");
    file("sys/class/powercap/intel-rapl:0/energy_uj", "4000000\n");   // once around: 5 J
    device->figures.joules = 1007;

    const ResourceSnapshot now = figures.read();
    EXPECT_EQ(now.rss_bytes, 1024 * kKiB);
    EXPECT_EQ(now.peak_rss_bytes, 2048 * kKiB);
    EXPECT_EQ(now.memory_total_bytes, 8192 * kKiB);
    EXPECT_EQ(now.memory_available_bytes, 4096 * kKiB);
    EXPECT_EQ(now.disk_read_bytes, 5000U);
    EXPECT_EQ(now.disk_written_bytes, 8192U);
    EXPECT_EQ(now.cgroup_used_bytes, 500000U);
    EXPECT_EQ(now.cgroup_limit_bytes, 1000000U);
    EXPECT_DOUBLE_EQ(now.memory_stall_percent.value(), 12.5);
    EXPECT_DOUBLE_EQ(now.cpu_celsius.value(), 61.25);
    EXPECT_DOUBLE_EQ(now.energy_j.value(), 5 + 7);
    EXPECT_EQ(now.vram_bytes, kGiB);
    EXPECT_EQ(now.vram_used_bytes, 2 * kGiB);
    EXPECT_EQ(now.vram_total_bytes, 6 * kGiB);
    EXPECT_DOUBLE_EQ(now.device_celsius.value(), 70);
    EXPECT_GT(now.disk_free_bytes, 0U);
}

TEST_F(FakeMachine, what_the_machine_does_not_offer_is_absent) {
    const ResourceSnapshot now = SystemFigures(root_, nullptr, root_).read();
    EXPECT_FALSE(now.cgroup_used_bytes || now.memory_stall_percent || now.vram_bytes || now.cpu_celsius ||
                 now.energy_j);
}

TEST_F(FakeMachine, of_nested_cgroups_the_one_nearest_to_its_limit_counts) {
    file("proc/self/cgroup", "4:memory:/a/b\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    file("sys/fs/cgroup/memory/memory.usage_in_bytes", "50\n");
    file("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000\n");
    file("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "990\n");
    file("sys/fs/cgroup/memory/a/memory.stat", "total_inactive_file 40\n");
    file("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "500\n");
    file("sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "100\n");
    const auto memory = cgroup_memory(root_);
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->used, 950U);
    EXPECT_EQ(memory->limit, 1000U);
}

TEST(FullestOf, shows_the_memory_of_the_device_that_is_fullest_and_the_energy_of_all) {
    const auto first = std::make_shared<TestDevice>();
    const auto second = std::make_shared<TestDevice>();
    first->figures = {.used_by_process = {}, .used = 2 * kGiB, .total = 8 * kGiB, .celsius = 70, .joules = 1000};
    second->figures = {.used_by_process = {}, .used = 3 * kGiB, .total = 4 * kGiB, .celsius = 60, .joules = 10};
    EXPECT_EQ(fullest_of({nullptr}), nullptr);
    EXPECT_EQ(fullest_of({nullptr, first}), first);
    const DeviceFigures both = fullest_of({first, nullptr, second})->read();
    EXPECT_EQ(both.used, 3 * kGiB);
    EXPECT_EQ(both.total, 4 * kGiB);
    EXPECT_DOUBLE_EQ(both.celsius.value(), 70);
    EXPECT_DOUBLE_EQ(both.joules.value(), 1010);
}

TEST(SystemFigures, a_sample_costs_less_than_half_a_percent_of_a_core_at_four_a_second) {
    SystemFigures figures(".");
    FileLedger files;
    constexpr int kSamples = 200;
    const double before = process_cpu_seconds();
    for (int i = 0; i < kSamples; ++i) {
        files.look();
        figures.read();
    }
    EXPECT_LT((process_cpu_seconds() - before) / kSamples * 4, 0.005);
}

}   // namespace
}   // namespace millstream
