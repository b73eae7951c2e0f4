#include "base/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace millstream {
namespace {

// cgroup v2 writes "quota period" or "max period" in microseconds (kernel: Documentation/admin-guide/cgroup-v2.rst).
double cgroup_cpus() {
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0;
    if (!(file >> quota >> period) || quota == "max" || period <= 0) {
        return 0;
    }
    return std::stod(quota) / period;
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

bool cpu_has_bf16() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bf16") != 0;
#else
    return false;
#endif
}

}   // namespace millstream
