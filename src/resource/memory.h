// Room `resource`: what this process may use and what it does use. Linux: /proc and cgroup v2.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "millstream/options.h"

namespace millstream {

/// Bytes now and at the peak, from /proc/self/status (VmRSS, VmHWM).
std::uint64_t resident_bytes();
std::uint64_t peak_resident_bytes();

/// What a new job may use by default: 60 % of min(cgroup limit, MemAvailable), rounded down to whole MiB.
std::uint64_t default_memory_budget();

/// Memory of the cgroup this process is in, if it has a limit.
std::optional<std::uint64_t> cgroup_memory_limit();
std::uint64_t available_memory();   ///< MemAvailable

/// Free bytes for this user on the file system of `path` (or of its nearest existing parent).
std::uint64_t free_disk(const std::filesystem::path& path);

/// The part of `free` that `limit` allows.
std::uint64_t allowed_disk(const DiskLimit& limit, std::uint64_t free);

/// CPU seconds of the process so far, user and system.
double process_cpu_seconds();

}   // namespace millstream
