// What a running job uses of the machine: a snapshot, its curve over the run, measures taken, files touched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace millstream {

/// How short a resource has become, by the thresholds of Options.
enum class PressureLevel { normal, elevated, critical };

/// Every figure at one moment; absent = not offered here.
/// Trivially copyable, so that a thread can publish it without a lock.
struct ResourceSnapshot {
    double time_s = 0;                      ///< since the run began
    std::uint64_t rss_bytes = 0;            ///< resident memory of the process
    std::uint64_t peak_rss_bytes = 0;       ///< its largest value so far
    std::uint64_t memory_total_bytes = 0;   ///< of the machine
    std::uint64_t memory_available_bytes = 0;
    std::optional<std::uint64_t> cgroup_used_bytes;    ///< without file pages that would be dropped first
    std::optional<std::uint64_t> cgroup_limit_bytes;   ///< the limit that `cgroup_used_bytes` is to be held against
    std::optional<double> memory_stall_percent;     ///< PSI: share of the last 10 s in which a task waited for memory
    std::optional<std::uint64_t> vram_bytes;        ///< device memory of this process
    std::optional<std::uint64_t> vram_used_bytes;   ///< of the whole device, all processes
    std::optional<std::uint64_t> vram_total_bytes;
    double cpu_cores = 0;                   ///< cores kept busy since the snapshot before
    std::uint64_t disk_read_bytes = 0;      ///< by this process, from the disk, since the run began
    std::uint64_t disk_written_bytes = 0;   ///< likewise, to the disk
    std::uint64_t disk_free_bytes = 0;      ///< at the output
    std::optional<double> cpu_celsius;      ///< the hottest sensor
    std::optional<double> device_celsius;
    std::optional<double> energy_j;   ///< of processor and device since the run began
    PressureLevel memory_level = PressureLevel::normal;
    PressureLevel vram_level = PressureLevel::normal;
};

/// A point of the run's curve. It stands for the time since the point before: memory is the largest in that time, and
/// the least.
struct CurvePoint {
    double time_s = 0;
    std::int64_t frames = 0;   ///< finished by then
    double fps = 0;            ///< over the time it stands for
    double cpu_cores = 0;
    std::uint64_t rss_bytes = 0;
    std::uint64_t rss_min_bytes = 0;
    std::optional<std::uint64_t> vram_bytes;
    std::optional<std::uint64_t> vram_min_bytes;
};

/// Something that was done because memory or VRAM ran short, or taken back when it no longer did.
struct BackOff {
    std::int64_t frame = 0;   ///< the first one it applied to
    std::string measure;      ///< release caches, fewer requests, smaller tiles, lower precision, shorter queues, ...
    std::string from;         ///< before, in words; empty where there is nothing to compare
    std::string to;
    std::string why;
};

/// One file that the process had open, and what went through it.
struct FileIo {
    std::filesystem::path path;
    std::string role;   ///< input, output, checkpoint, report, metrics, console, unexpected
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_written = 0;
};

/// What the kernel counted against what the files above account for.
struct DiskTraffic {
    std::uint64_t read_bytes = 0;   ///< by the process, from files, pipes and terminals (rchar of /proc/self/io)
    /// To the disk: pages made dirty (write_bytes); 0 also where the kernel does not say.
    std::uint64_t written_bytes = 0;
    std::uint64_t accounted_bytes = 0;     ///< sum of FileIo::bytes_written
    std::uint64_t unexplained_bytes = 0;   ///< written beyond what is accounted for and its page rounding; 0 = nothing
};

}   // namespace millstream
