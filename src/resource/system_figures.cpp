#include "resource/system_figures.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "millstream/error.h"
#include "resource/memory.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> number_in(const fs::path& file) {
    std::ifstream stream(file);
    std::uint64_t value = 0;
    return stream >> value ? std::optional(value) : std::nullopt;
}

std::string word_in(const fs::path& file) {
    std::ifstream stream(file);
    std::string word;
    stream >> word;
    return word;
}

std::vector<fs::path> entries(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
        found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

}   // namespace

SystemFigures::SystemFigures(fs::path disk, std::shared_ptr<DeviceMemory> device, fs::path root)
    : disk_(std::move(disk)),
      device_(std::move(device)),
      root_(std::move(root)),
      pressure_file_(memory_pressure_file(root_)),
      start_(Clock::now()),
      last_(start_),
      last_cpu_s_(process_cpu_seconds()),
      disk_at_start_(disk_counters()) {
    find_sensors();
}

// Documentation/hwmon/sysfs-interface.rst: temp*_input in thousandths of a degree; the processor's drivers are called
// coretemp (Intel), k10temp (AMD), cpu_thermal (ARM boards). Documentation/power/powercap/powercap.rst: energy_uj.
void SystemFigures::find_sensors() {
    for (const fs::path& chip : entries(root_ / "sys/class/hwmon")) {
        const std::string name = word_in(chip / "name");
        if (name != "coretemp" && name != "k10temp" && name != "zenpower" && name != "cpu_thermal") {
            continue;
        }
        for (const fs::path& file : entries(chip)) {
            const std::string sensor = file.filename().string();
            if (sensor.starts_with("temp") && sensor.ends_with("_input")) {
                temperatures_.push_back(file);
            }
        }
    }
    for (const fs::path& zone : entries(root_ / "sys/class/powercap")) {
        const std::string name = zone.filename().string();
        const bool package = name.starts_with("intel-rapl:") && std::count(name.begin(), name.end(), ':') == 1;
        const auto now = package ? number_in(zone / "energy_uj") : std::nullopt;   // often for root only
        if (now) {
            energy_.push_back({zone / "energy_uj", number_in(zone / "max_energy_range_uj").value_or(0), *now});
        }
    }
}

ResourceSnapshot SystemFigures::read() {
    ResourceSnapshot now;
    const auto time = Clock::now();
    const double cpu_s = process_cpu_seconds();
    now.time_s = std::chrono::duration<double>(time - start_).count();
    const double elapsed = std::chrono::duration<double>(time - last_).count();
    now.cpu_cores = elapsed > 0 ? (cpu_s - last_cpu_s_) / elapsed : 0;
    last_ = time;
    last_cpu_s_ = cpu_s;
    now.rss_bytes = resident_bytes(root_);
    now.peak_rss_bytes = peak_resident_bytes(root_);
    now.memory_total_bytes = total_memory(root_);
    now.memory_available_bytes = available_memory(root_);
    if (const auto cgroup = cgroup_memory(root_)) {
        now.cgroup_used_bytes = cgroup->used;
        now.cgroup_limit_bytes = cgroup->limit;
    }
    now.memory_stall_percent = memory_stall_percent();
    const DiskCounters disk = disk_counters();
    now.disk_read_bytes = disk.read - disk_at_start_.read;
    now.disk_written_bytes = disk.written - disk_at_start_.written;
    try {
        now.disk_free_bytes = free_disk(disk_);
    } catch (const Error&) {   // a file system that does not say
        now.disk_free_bytes = 0;
    }
    now.cpu_celsius = hottest_celsius();
    now.energy_j = processor_joules();
    if (device_) {
        const DeviceFigures device = device_->read();
        now.vram_bytes = device.used_by_process;
        now.vram_used_bytes = device.used;
        now.vram_total_bytes = device.total;
        now.device_celsius = device.celsius;
        if (device.joules) {
            device_joules_at_start_ = device_joules_at_start_.value_or(*device.joules);
            now.energy_j = now.energy_j.value_or(0) + *device.joules - *device_joules_at_start_;
        }
    }
    return now;
}

// proc(5): "read_bytes: 4096", "write_bytes: 0".
SystemFigures::DiskCounters SystemFigures::disk_counters() const {
    DiskCounters counters;
    std::ifstream lines(root_ / "proc/self/io");
    std::string name;
    std::uint64_t value = 0;
    while (lines >> name >> value) {
        if (name == "read_bytes:") {
            counters.read = value;
        } else if (name == "write_bytes:") {
            counters.written = value;
        }
    }
    return counters;
}

// Documentation/accounting/psi.rst: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0".
std::optional<double> SystemFigures::memory_stall_percent() const {
    std::ifstream stream(pressure_file_);
    std::string some;
    std::string average;
    constexpr std::string_view kKey = "avg10=";
    if (!(stream >> some >> average) || some != "some" || !average.starts_with(kKey)) {
        return std::nullopt;
    }
    try {
        return std::stod(average.substr(kKey.size()));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::optional<double> SystemFigures::hottest_celsius() const {
    std::optional<double> hottest;
    for (const fs::path& file : temperatures_) {
        if (const auto thousandths = number_in(file)) {
            hottest = std::max(hottest.value_or(0), static_cast<double>(*thousandths) / 1000);
        }
    }
    return hottest;
}

std::optional<double> SystemFigures::processor_joules() {
    for (EnergyCounter& counter : energy_) {
        const std::uint64_t now = number_in(counter.file).value_or(counter.last);
        const std::uint64_t used = now >= counter.last ? now - counter.last : counter.range - counter.last + now;
        joules_ += static_cast<double>(used) * 1e-6;
        counter.last = now;
    }
    return energy_.empty() ? std::nullopt : std::optional(joules_);
}

}   // namespace millstream
