#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/report_file.h"

namespace millstream {
namespace {

// Names: base units, totals of counters end in _total (https://prometheus.io/docs/practices/naming/).
class MetricsText {
public:
    void gauge(std::string_view name, std::string_view help, double value) { add(name, "gauge", help, value); }
    void counter(std::string_view name, std::string_view help, double value) { add(name, "counter", help, value); }
    template <class T>
    void gauge(std::string_view name, std::string_view help, const std::optional<T>& value) {
        if (value) {
            gauge(name, help, static_cast<double>(*value));
        }
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    void add(std::string_view name, std::string_view type, std::string_view help, double value) {
        const std::string full = "millstream_" + std::string(name);
        std::array<char, 32> number{};
        std::snprintf(number.data(), number.size(), "%.17g", value);
        text_ += "# HELP " + full + " " + std::string(help) + "\n# TYPE " + full + " " + std::string(type) + "\n" +
                 full + " " + number.data() + "\n";
    }

    std::string text_;
};

}   // namespace

std::string to_metrics(const Progress& progress) {
    const ResourceSnapshot& now = progress.resources;
    MetricsText text;
    text.counter("frames_total", "Frames finished.", static_cast<double>(progress.frames_done));
    text.gauge("frames_expected", "Frames of the whole job; 0 where unknown.",
               static_cast<double>(progress.frames_total));
    text.gauge("frames_per_second", "Speed over the last seconds.", progress.fps);
    text.counter("elapsed_seconds_total", "Time since the job began.", progress.elapsed_s);
    text.gauge("eta_seconds", "Estimated time to the end.", progress.eta_s);
    text.counter("output_bytes_total", "Size of the output so far.", static_cast<double>(progress.output_bytes));
    text.gauge("resident_memory_bytes", "Resident memory.", static_cast<double>(now.rss_bytes));
    text.gauge("resident_memory_peak_bytes", "Largest resident memory so far.",
               static_cast<double>(now.peak_rss_bytes));
    text.gauge("memory_available_bytes", "Memory of the machine that is free for programs.",
               static_cast<double>(now.memory_available_bytes));
    text.gauge("cgroup_memory_bytes", "Memory in use in the container.", now.cgroup_used_bytes);
    text.gauge("cgroup_memory_limit_bytes", "Limit of the container's memory.", now.cgroup_limit_bytes);
    text.gauge("memory_stall_percent", "Share of the last 10 s in which a task waited for memory.",
               now.memory_stall_percent);
    text.gauge("device_memory_bytes", "Device memory of this process.", now.vram_bytes);
    text.gauge("device_memory_used_bytes", "Device memory of all processes.", now.vram_used_bytes);
    text.gauge("device_memory_size_bytes", "Size of the device's memory.", now.vram_total_bytes);
    text.gauge("cpu_cores", "Cores kept busy.", now.cpu_cores);
    text.counter("disk_read_bytes_total", "Read from the disk.", static_cast<double>(now.disk_read_bytes));
    text.counter("disk_written_bytes_total", "Written to the disk.", static_cast<double>(now.disk_written_bytes));
    text.gauge("disk_free_bytes", "Free space at the output.", static_cast<double>(now.disk_free_bytes));
    text.gauge("cpu_celsius", "Hottest processor sensor.", now.cpu_celsius);
    text.gauge("device_celsius", "Temperature of the device.", now.device_celsius);
    text.gauge("memory_pressure_level", "0 normal, 1 elevated, 2 critical.",
               static_cast<double>(static_cast<int>(now.memory_level)));
    text.gauge("device_memory_pressure_level", "0 normal, 1 elevated, 2 critical.",
               static_cast<double>(static_cast<int>(now.vram_level)));
    return text.text();
}

}   // namespace millstream
