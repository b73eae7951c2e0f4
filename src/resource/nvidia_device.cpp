#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/loaded_library.h"
#include "resource/device_memory.h"

namespace millstream {
namespace {

// What is used of NVML's interface (NVIDIA Management Library, API reference). Its structs are stable by version
// suffix.
using NvmlReturn = int;
constexpr NvmlReturn kSuccess = 0;
using NvmlDevice = struct OpaqueNvmlDevice*;
struct NvmlMemory {   // nvmlMemory_t
    unsigned long long total;
    unsigned long long free;
    unsigned long long used;
};
struct NvmlProcess {   // nvmlProcessInfo_t of the calls ending in _v3
    unsigned pid;
    unsigned long long used_memory;
    unsigned gpu_instance;
    unsigned compute_instance;
};
constexpr int kTemperatureOfChip = 0;                 // NVML_TEMPERATURE_GPU
constexpr unsigned long long kNotAvailable = ~0ULL;   // NVML_VALUE_NOT_AVAILABLE

// "00000000:65:00.0" of CUDA's device `index`, from the driver's interface (CUDA Driver API, cuDeviceGetPCIBusId);
// empty where there is no driver.
std::string bus_id_of(unsigned index) {
    const LoadedLibrary driver("libcuda.so.1");
    auto* const init = driver.function<int(unsigned)>("cuInit");
    auto* const find = driver.function<int(int*, int)>("cuDeviceGet");
    auto* const bus_id = driver.function<int(char*, int, int)>("cuDeviceGetPCIBusId");
    int device = 0;
    std::array<char, 64> text{};
    const bool found = init != nullptr && find != nullptr && bus_id != nullptr && init(0) == kSuccess &&
                       find(&device, static_cast<int>(index)) == kSuccess &&
                       bus_id(text.data(), static_cast<int>(text.size()) - 1, device) == kSuccess;
    return found ? std::string(text.data()) : std::string();
}

class NvidiaDevice : public DeviceMemory {
public:
    // Whether the device can be read at all.
    bool open(unsigned index) {
        auto* const init = library_.function<NvmlReturn()>("nvmlInit_v2");
        auto* const find = library_.function<NvmlReturn(unsigned, NvmlDevice*)>("nvmlDeviceGetHandleByIndex_v2");
        auto* const find_at =
            library_.function<NvmlReturn(const char*, NvmlDevice*)>("nvmlDeviceGetHandleByPciBusId_v2");
        memory_ = library_.function<NvmlReturn(NvmlDevice, NvmlMemory*)>("nvmlDeviceGetMemoryInfo");
        processes_ = library_.function<NvmlReturn(NvmlDevice, unsigned*, NvmlProcess*)>(
            "nvmlDeviceGetComputeRunningProcesses_v3");
        temperature_ = library_.function<NvmlReturn(NvmlDevice, int, unsigned*)>("nvmlDeviceGetTemperature");
        energy_ = library_.function<NvmlReturn(NvmlDevice, unsigned long long*)>("nvmlDeviceGetTotalEnergyConsumption");
        if (init == nullptr || find == nullptr || memory_ == nullptr || init() != kSuccess) {
            return false;
        }
        shutdown_ = library_.function<NvmlReturn()>("nvmlShutdown");
        const std::string bus_id = bus_id_of(index);
        return find_at != nullptr && !bus_id.empty() ? find_at(bus_id.c_str(), &device_) == kSuccess
                                                     : find(index, &device_) == kSuccess;
    }
    NvidiaDevice() = default;
    ~NvidiaDevice() override {
        if (shutdown_ != nullptr) {
            shutdown_();
        }
    }
    NvidiaDevice(const NvidiaDevice&) = delete;
    NvidiaDevice& operator=(const NvidiaDevice&) = delete;

    DeviceFigures read() override {
        DeviceFigures figures;
        NvmlMemory memory{};
        if (memory_(device_, &memory) == kSuccess) {
            figures.total = memory.total;
            figures.used = memory.used;
        }
        figures.used_by_process = used_by_process();
        unsigned celsius = 0;
        if (temperature_ != nullptr && temperature_(device_, kTemperatureOfChip, &celsius) == kSuccess) {
            figures.celsius = celsius;
        }
        unsigned long long millijoules = 0;
        if (energy_ != nullptr && energy_(device_, &millijoules) == kSuccess) {
            figures.joules = static_cast<double>(millijoules) / 1000;
        }
        return figures;
    }

private:
    // In a container the library may list the host's process numbers: then nothing is found, and nothing is said.
    [[nodiscard]] std::optional<std::uint64_t> used_by_process() const {
        std::array<NvmlProcess, 64> list{};
        auto count = static_cast<unsigned>(list.size());
        if (processes_ == nullptr || processes_(device_, &count, list.data()) != kSuccess) {
            return std::nullopt;
        }
        const auto own = static_cast<unsigned>(getpid());
        const auto* const end = list.data() + std::min<std::size_t>(count, list.size());
        const auto* const found = std::find_if(static_cast<const NvmlProcess*>(list.data()), end,
                                               [own](const NvmlProcess& process) { return process.pid == own; });
        return found == end || found->used_memory == kNotAvailable ? std::nullopt
                                                                   : std::optional<std::uint64_t>(found->used_memory);
    }

    LoadedLibrary library_{"libnvidia-ml.so.1"};   // unloaded last
    NvmlDevice device_ = nullptr;
    NvmlReturn (*memory_)(NvmlDevice, NvmlMemory*) = nullptr;
    NvmlReturn (*processes_)(NvmlDevice, unsigned*, NvmlProcess*) = nullptr;
    NvmlReturn (*temperature_)(NvmlDevice, int, unsigned*) = nullptr;
    NvmlReturn (*energy_)(NvmlDevice, unsigned long long*) = nullptr;
    NvmlReturn (*shutdown_)() = nullptr;
};

class FullestDevice : public DeviceMemory {
public:
    explicit FullestDevice(std::vector<std::shared_ptr<DeviceMemory>> devices) : devices_(std::move(devices)) {}
    DeviceFigures read() override {
        const auto share = [](const DeviceFigures& of) {
            return of.used && of.total && *of.total > 0 ? static_cast<double>(*of.used) / static_cast<double>(*of.total)
                                                        : 0.0;
        };
        DeviceFigures fullest;
        std::optional<double> celsius;
        std::optional<double> joules;
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            const DeviceFigures figures = devices_[i]->read();
            celsius = std::max(celsius, figures.celsius);
            joules = figures.joules ? std::optional(joules.value_or(0) + *figures.joules) : joules;
            if (i == 0 || share(figures) > share(fullest)) {
                fullest = figures;
            }
        }
        fullest.celsius = celsius;
        fullest.joules = joules;
        return fullest;
    }

private:
    std::vector<std::shared_ptr<DeviceMemory>> devices_;
};

}   // namespace

std::shared_ptr<DeviceMemory> fullest_of(std::vector<std::shared_ptr<DeviceMemory>> devices) {
    std::erase(devices, nullptr);
    return devices.empty()       ? nullptr
           : devices.size() == 1 ? devices.front()
                                 : std::make_shared<FullestDevice>(std::move(devices));
}

std::shared_ptr<DeviceMemory> open_nvidia_device(unsigned index) {
    auto device = std::make_shared<NvidiaDevice>();
    return device->open(index) ? device : nullptr;
}

}   // namespace millstream
