// What this machine offers: the facts behind `millstream doctor`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millstream {

struct SystemInfo {
    std::vector<std::pair<std::string, std::string>> libraries;   ///< name, version: FFmpeg, torch, OpenVINO
    std::string cpu_name;
    std::vector<std::string> cpu_features;   ///< what matters for networks: avx2, avx512f, avx512_bf16, amx_bf16, ...
    std::string cpu_precision;               ///< what `--precision auto` means on the processor: "bf16" or "fp32"
    int cpu_threads = 1;                     ///< that this process may use
    std::uint64_t memory_available = 0;      ///< bytes
    std::optional<std::uint64_t> memory_limit;   ///< of the cgroup, bytes
    std::uint64_t memory_budget = 0;             ///< what a job takes by default, bytes
    std::filesystem::path disk_path;             ///< whose file system disk_free is about
    std::uint64_t disk_free = 0;                 ///< bytes
    std::vector<std::string> gpus;               ///< name and driver, in words; empty = none found
};

/// Looks around; starts nothing and writes nothing. `disk_path`: a file or folder on the file system of interest.
SystemInfo inspect_system(const std::filesystem::path& disk_path);

}   // namespace millstream
