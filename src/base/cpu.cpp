#include "base/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "base/proc_value.h"

namespace millstream {
namespace {

constexpr const char* kFacts = "/proc/cpuinfo";   // what it says of the first processor comes first

// CPUs a control group allows, from its quota and period in microseconds; 0 = no limit.
// Version 2 writes "quota period" or "max period" into cpu.max (Documentation/admin-guide/cgroup-v2.rst), version 1 has
// a file for each, with -1 for no limit (Documentation/scheduler/sched-bwc.rst).
double allowed_by(const std::filesystem::path& group) {
    std::string quota;
    double period = 0;
    if (!(std::ifstream(group / "cpu.max") >> quota >> period)) {
        std::ifstream(group / "cpu.cfs_quota_us") >> quota;
        std::ifstream(group / "cpu.cfs_period_us") >> period;
    }
    const double allowed = quota.empty() || quota == "max" || period <= 0 ? 0 : std::strtod(quota.c_str(), nullptr);
    return allowed > 0 ? allowed / period : 0;
}

// The tightest limit of this process's group and of those above it, in whichever version is mounted.
double cgroup_cpus() {
    double tightest = 0;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {   // "hierarchy:controllers:path"
        const std::size_t controllers = line.find(':') + 1;
        const std::size_t path = line.find(':', controllers) + 1;
        const bool version2 = path == controllers + 1;
        if (path == 0 || (!version2 && line.substr(controllers, path - controllers).find("cpu") == std::string::npos)) {
            continue;
        }
        const std::filesystem::path mount = version2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
        for (std::filesystem::path group = line.substr(path);; group = group.parent_path()) {
            const double allowed = allowed_by(mount / group.relative_path());
            if (allowed > 0 && (tightest == 0 || allowed < tightest)) {
                tightest = allowed;
            }
            if (!group.has_relative_path()) {
                break;
            }
        }
    }
    return tightest;
}

}   // namespace

int usable_cpus() {
    int count = static_cast<int>(std::thread::hardware_concurrency());
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
        count = CPU_COUNT(&mask);
    }
    if (const double quota = cgroup_cpus(); quota > 0) {
        count = std::min(count, static_cast<int>(std::ceil(quota)));
    }
    return std::max(count, 1);
}

std::string cpu_name() {
    const std::string name = value_behind(kFacts, "model name");
    return name.empty() ? "processor" : name;
}

bool cpu_has_bf16() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16") != 0;
#else
    return false;
#endif
}

// Note [Where bf16 pays]
// With AMX everywhere. With AVX512_BF16 alone it depends on the maker, whatever the instruction itself promises:
// OpenVINO 2026.4 reaches 940 GFLOP/s in bf16 and 490 in fp32 on two cores of a Zen 5, but on two of a Xeon (family 6,
// model 207, its AMX hidden by a virtual machine) 16 frames of 640x360 through animevideov3 x2 take 31.3 s in bf16 and
// 18.0 s in fp32; x4plus and x4plus-anime 1.7 times as long; another program on OpenVINO likewise (45.3 s and 27.0 s).
bool cpu_gains_from_bf16() {
#if defined(__x86_64__)
    return cpu_has_bf16() && (__builtin_cpu_is("amd") != 0 || cpu_flags().contains("amx_bf16"));
#else
    return false;
#endif
}

std::set<std::string> cpu_flags() {
    std::istringstream flags(value_behind(kFacts, "flags"));
    std::set<std::string> present;
    for (std::string flag; flags >> flag;) {
        present.insert(flag);
    }
    return present;
}

}   // namespace millstream
