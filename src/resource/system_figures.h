// The figures of a ResourceSnapshot, read from the system.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "millstream/resources.h"
#include "resource/device_memory.h"

namespace millstream {

/// Counters that only rise (disk, energy, time, processor time) start at 0 when this is made. One thread at a time.
class SystemFigures {
public:
    /// `disk`: a file or folder on the file system whose free space matters. `device`: whose VRAM; may be null.
    /// `root`: where /proc and /sys are looked for.
    explicit SystemFigures(std::filesystem::path disk, std::shared_ptr<DeviceMemory> device = nullptr,
                           std::filesystem::path root = "/");

    ResourceSnapshot read();

private:
    using Clock = std::chrono::steady_clock;
    struct DiskCounters {
        std::uint64_t read = 0;
        std::uint64_t written = 0;
    };
    [[nodiscard]] DiskCounters disk_counters() const;
    [[nodiscard]] std::optional<double> memory_stall_percent() const;
    [[nodiscard]] std::optional<double> hottest_celsius() const;
    std::optional<double> processor_joules();
    void find_sensors();

    std::filesystem::path disk_;
    std::shared_ptr<DeviceMemory> device_;
    std::filesystem::path root_;
    std::filesystem::path pressure_file_;               // a cgroup's, or the machine's
    std::vector<std::filesystem::path> temperatures_;   // files with thousandths of a degree
    struct EnergyCounter {
        std::filesystem::path file;   // microjoules, starting again after `range`
        std::uint64_t range = 0;
        std::uint64_t last = 0;
    };
    std::vector<EnergyCounter> energy_;
    double joules_ = 0;
    std::optional<double> device_joules_at_start_;
    Clock::time_point start_;
    Clock::time_point last_;
    double last_cpu_s_;
    DiskCounters disk_at_start_;
};

}   // namespace millstream
