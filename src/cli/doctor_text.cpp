#include "cli/doctor_text.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/counted.h"
#include "cli/command_line.h"

namespace millstream {
namespace {

std::string row(std::string label, const std::string& text) {
    label.resize(std::max<std::size_t>(12, label.size()), ' ');
    return label + text + "\n";
}

std::string processor(const SystemInfo& system) {
    std::string text = system.cpu_name.empty() ? "unknown" : system.cpu_name;
    text += ", " + counted(system.cpu_threads, "thread", "threads");
    for (const std::string& feature : system.cpu_features) {
        text += (&feature == &system.cpu_features.front() ? "; " : " ") + feature;
    }
    return text + "; networks in " + system.cpu_precision + " unless --precision says otherwise";
}

std::string memory(const SystemInfo& system) {
    std::string text = format_bytes(system.memory_available) + " available";
    if (system.memory_limit) {
        text += ", cgroup limit " + format_bytes(*system.memory_limit);
    }
    return text + "; a job takes " + format_bytes(system.memory_budget) + " at most unless --max-memory says otherwise";
}

std::string weights(const std::vector<ModelInfo>& models, const std::vector<std::filesystem::path>& searched) {
    const auto missing = std::count_if(models.begin(), models.end(), [](const ModelInfo& m) { return !m.installed(); });
    if (missing == 0) {
        return row("weights", "all " + std::to_string(models.size()) + " file sets found");
    }
    std::string text = row("weights", std::to_string(missing) + " of " + std::to_string(models.size()) +
                                          " file sets are missing; looked in");
    for (const std::filesystem::path& folder : searched) {
        text += row("", "  " + folder.string());
    }
    return text + row("", "`millstream models fetch` installs them");
}

}   // namespace

std::string doctor_text(const SystemInfo& system, const std::vector<ModelInfo>& models,
                        const std::vector<std::filesystem::path>& searched) {
    std::string text = version_text() + "\n";
    for (const auto& [name, version] : system.libraries) {
        text += row(name, version);
    }
    text += row("colour", "zimg " MILLSTREAM_ZIMG_VERSION);
    text += row("processor", processor(system));
    text += row("memory", memory(system));
    text += row("disk", format_bytes(system.disk_free) + " free at " + system.disk_path.string());
    if (system.gpus.empty()) {
        text += row("GPU", "none found; networks run on the processor");
    }
    for (const std::string& gpu : system.gpus) {
        text += row("GPU", gpu);
    }
    return text + weights(models, searched);
}

}   // namespace millstream
