#include "resource/memory.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "millstream/error.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;

// "VmRSS:      1604 kB": proc(5) for status and meminfo. Nothing where the file or the key is missing.
std::optional<std::uint64_t> kilobytes(const fs::path& file, std::string_view key) {
    std::ifstream lines(file);
    std::string name;
    std::uint64_t value = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        if (words >> name >> value && name.size() == key.size() + 1 && name.starts_with(key) && name.back() == ':') {
            return value * kKiB;
        }
    }
    return std::nullopt;
}

// A limit file holds a number of bytes or "max" (cgroup v2). Version 1 has no word for "no limit" and shows the largest
// multiple of a page that fits a signed 64-bit number.
std::optional<std::uint64_t> limit_in(const fs::path& file) {
    constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 62;
    std::ifstream stream(file);
    std::string text;
    if (!(stream >> text)) {
        return std::nullopt;
    }
    std::uint64_t bytes = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (code != std::errc{} || end != text.data() + text.size() || bytes >= kNoLimit) {
        return std::nullopt;
    }
    return bytes;
}

std::optional<std::uint64_t> smaller(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
    return a && b ? std::min(*a, *b) : a ? a : b;
}

// A cgroup is bound by the limits of all its ancestors. Without a cgroup namespace a container sees the host's path in
// /proc/self/cgroup but only its own part of the tree under the mount point: folders that are missing are passed over,
// and the mount point itself is then the container's cgroup.
template <class Visit>
void visit_folders(const fs::path& mount, const fs::path& cgroup, const Visit& visit) {
    visit(mount);
    fs::path folder = mount;
    for (const fs::path& name : cgroup.relative_path()) {
        if (name == "..") {   // a cgroup outside this namespace
            continue;
        }
        folder /= name;
        visit(folder);
    }
}

bool lists_memory(std::string_view controllers) {
    std::istringstream words{std::string(controllers)};
    for (std::string word; std::getline(words, word, ',');) {
        if (word == "memory") {
            return true;
        }
    }
    return false;
}

// Names of the files of one version of cgroups.
struct CgroupFiles {
    const char* limit;
    const char* high;   // from there on processes are slowed down until memory has been taken back; may be null
    const char* used;
    const char* inactive;   // key in memory.stat
};
constexpr CgroupFiles kVersion2{"memory.max", "memory.high", "memory.current", "inactive_file"};
constexpr CgroupFiles kVersion1{"memory.limit_in_bytes", nullptr, "memory.usage_in_bytes", "total_inactive_file"};

std::optional<std::uint64_t> limit_of(const fs::path& folder, const CgroupFiles& files) {
    return smaller(limit_in(folder / files.limit),
                   files.high == nullptr ? std::nullopt : limit_in(folder / files.high));
}

// Every folder whose memory limit binds this process. Lines "0::/path" (v2) and "4:memory,hugetlb:/path" (v1):
// cgroups(7). Mount points as systemd and the container runtimes have them; in hybrid set-ups the v2 tree is at
// "unified".
template <class Visit>
void visit_memory_cgroups(const fs::path& root, const Visit& visit) {
    const fs::path mounts = root / "sys/fs/cgroup";
    std::ifstream lines(root / "proc/self/cgroup");
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const fs::path cgroup = line.substr(second + 1);
        const auto with = [&visit](const CgroupFiles& files) {
            return [&visit, &files](const fs::path& folder) { visit(folder, files); };
        };
        if (controllers.empty()) {
            visit_folders(mounts, cgroup, with(kVersion2));
            visit_folders(mounts / "unified", cgroup, with(kVersion2));
        } else if (lists_memory(controllers)) {
            visit_folders(mounts / "memory", cgroup, with(kVersion1));
        }
    }
}

// "inactive_file 1234" of memory.stat.
std::uint64_t stat_value(const fs::path& file, std::string_view key) {
    std::ifstream stream(file);
    std::string name;
    std::uint64_t value = 0;
    while (stream >> name >> value) {
        if (name == key) {
            return value;
        }
    }
    return 0;
}

}   // namespace

std::uint64_t resident_bytes(const fs::path& root) {
    return kilobytes(root / "proc/self/status", "VmRSS").value_or(0);
}

std::uint64_t peak_resident_bytes(const fs::path& root) {
    return kilobytes(root / "proc/self/status", "VmHWM").value_or(0);
}

bool reset_peak_resident_bytes() {
    // Documentation/filesystems/proc.rst: writing 5 resets the peak resident set size.
    return static_cast<bool>(std::ofstream("/proc/self/clear_refs") << "5" << std::flush);
}

std::uint64_t default_memory_budget(const fs::path& root) {
    const std::uint64_t memory = *smaller(available_memory(root), cgroup_memory_limit(root));
    return memory / 100 * 60 / kMiB * kMiB;
}

std::optional<std::uint64_t> cgroup_memory_limit(const fs::path& root) {
    std::optional<std::uint64_t> limit;
    visit_memory_cgroups(root, [&limit](const fs::path& folder, const CgroupFiles& files) {
        limit = smaller(limit, limit_of(folder, files));
    });
    return limit;
}

std::optional<CgroupMemory> cgroup_memory(const fs::path& root) {
    std::optional<CgroupMemory> nearest;
    visit_memory_cgroups(root, [&nearest](const fs::path& folder, const CgroupFiles& files) {
        const auto limit = limit_of(folder, files);
        const auto used = limit ? limit_in(folder / files.used) : std::nullopt;
        if (!used || *limit == 0) {
            return;
        }
        const std::uint64_t idle = std::min(*used, stat_value(folder / "memory.stat", files.inactive));
        const CgroupMemory found{*used - idle, *limit};
        const auto share = [](const CgroupMemory& m) {
            return static_cast<double>(m.used) / static_cast<double>(m.limit);
        };
        if (!nearest || share(found) > share(*nearest)) {
            nearest = found;
        }
    });
    return nearest;
}

std::filesystem::path memory_pressure_file(const fs::path& root) {
    fs::path nearest = root / "proc/pressure/memory";
    std::error_code none;
    visit_memory_cgroups(root, [&](const fs::path& folder, const CgroupFiles&) {
        if (fs::exists(folder / "memory.pressure", none)) {
            nearest = folder / "memory.pressure";
        }
    });
    return nearest;
}

std::uint64_t total_memory(const fs::path& root) {
    return kilobytes(root / "proc/meminfo", "MemTotal").value_or(0);
}

std::uint64_t available_memory(const fs::path& root) {
    const fs::path file = root / "proc/meminfo";
    if (const auto available = kilobytes(file, "MemAvailable")) {
        return *available;
    }
    return kilobytes(file, "MemFree").value_or(0) + kilobytes(file, "Buffers").value_or(0) +
           kilobytes(file, "Cached").value_or(0);
}

std::uint64_t free_disk(const fs::path& path) {
    fs::path folder = fs::absolute(path);
    std::error_code ignored;
    while (!fs::exists(folder, ignored) && folder.has_relative_path()) {
        folder = folder.parent_path();
    }
    struct statvfs space {};
    if (::statvfs(folder.c_str(), &space) != 0) {
        throw Error(ErrorKind::refused,
                    {"measuring the free disk space", folder.string(), std::strerror(errno), "Choose another folder"});
    }
    return std::uint64_t{space.f_bavail} * space.f_frsize;
}

std::uint64_t allowed_disk(const DiskLimit& limit, std::uint64_t free) {
    switch (limit.kind) {
        case DiskLimit::Kind::percent:
            return static_cast<std::uint64_t>(static_cast<long double>(free) * limit.percent / 100);
        case DiskLimit::Kind::bytes:
            return std::min(limit.bytes, free);
        case DiskLimit::Kind::none:
            break;
    }
    return free;
}

double process_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}   // namespace millstream
