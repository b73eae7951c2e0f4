// Room `resource`: what this process may use and what it does use. Linux: /proc and cgroups of both versions.
// `root` is where /proc and /sys are looked for; tests put a folder of their own there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "millstream/options.h"

namespace millstream {

/// Bytes now and at the peak, from /proc/self/status (VmRSS, VmHWM); 0 where that cannot be read.
std::uint64_t resident_bytes(const std::filesystem::path& root = "/");
std::uint64_t peak_resident_bytes(const std::filesystem::path& root = "/");

/// Starts a new peak at what is resident now (/proc/self/clear_refs). Does nothing, and is false, where the kernel does
/// not offer it.
bool reset_peak_resident_bytes();

/// What a new job may use by default: 60 % of min(cgroup limit, MemAvailable), rounded down to whole MiB.
std::uint64_t default_memory_budget(const std::filesystem::path& root = "/");

/// The smallest memory limit (memory.max, or memory.high, above which the kernel slows a process down) of the cgroup
/// this process is in and of all cgroups above it, if there is one.
std::optional<std::uint64_t> cgroup_memory_limit(const std::filesystem::path& root = "/");

/// What the cgroup of this process (or one above it) uses of its limit: the pair that is nearest to the limit. File
/// pages that nobody has used lately are not counted, as the kernel drops them before anything else. Nothing without a
/// limit.
struct CgroupMemory {
    std::uint64_t used = 0;
    std::uint64_t limit = 0;
};
std::optional<CgroupMemory> cgroup_memory(const std::filesystem::path& root = "/");

/// Where the kernel tells how much time is lost to a lack of memory: of the cgroup of this process where it does, else
/// of the whole machine.
std::filesystem::path memory_pressure_file(const std::filesystem::path& root = "/");

/// Size of the machine's memory; 0 where that cannot be read.
std::uint64_t total_memory(const std::filesystem::path& root = "/");

/// MemAvailable of /proc/meminfo (MemFree + Buffers + Cached on kernels without it); 0 where that cannot be read.
std::uint64_t available_memory(const std::filesystem::path& root = "/");

/// Free bytes for this user on the file system of `path` (or of its nearest existing parent).
/// Throws Error(refused) where the file system does not say.
std::uint64_t free_disk(const std::filesystem::path& path);

/// The part of `free` that `limit` allows.
std::uint64_t allowed_disk(const DiskLimit& limit, std::uint64_t free);

/// CPU seconds of the process so far, user and system, all threads.
double process_cpu_seconds();

}   // namespace millstream
