#include "millstream/system.h"

#include <set>

#include "base/cpu.h"
#include "base/proc_value.h"
#include "media/probe.h"
#include "model/executor.h"
#include "pipeline/plan_words.h"
#include "resource/memory.h"

namespace millstream {
namespace {

std::vector<std::string> network_features() {
    const std::set<std::string> present = cpu_flags();
    std::vector<std::string> features;
    for (const char* flag :
         {"avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8"}) {
        if (present.contains(flag)) {
            features.emplace_back(flag);
        }
    }
    return features;
}

// From what the drivers show in the file system: no GPU library is loaded for it.
std::vector<std::string> find_gpus() {
    std::vector<std::string> gpus;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
        gpus.push_back(value_behind(entry.path() / "information", "Model") + " (NVIDIA driver)");
    }
    for (const auto& entry : std::filesystem::directory_iterator("/dev/dri", none)) {
        if (entry.path().filename().string().starts_with("renderD")) {
            gpus.push_back(entry.path().string() + " (VAAPI or oneAPI)");
        }
    }
    return gpus;
}

}   // namespace

SystemInfo inspect_system(const std::filesystem::path& disk_path) {
    SystemInfo info;
    info.libraries = {{"media", ffmpeg_version()}, {"networks", backend_versions()}};
    info.cpu_name = cpu_name();
    info.cpu_features = network_features();
    info.cpu_threads = usable_cpus();
    info.cpu_precision = words(base_precision());
    info.memory_available = available_memory();
    info.memory_limit = cgroup_memory_limit();
    info.memory_budget = default_memory_budget();
    info.disk_path = disk_path;
    info.disk_free = free_disk(disk_path);
    info.gpus = find_gpus();
    return info;
}

}   // namespace millstream
