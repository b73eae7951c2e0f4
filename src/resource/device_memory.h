// Memory, temperature and energy of a compute device.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

namespace millstream {

/// Absent = not told.
struct DeviceFigures {
    std::optional<std::uint64_t> used_by_process;   ///< bytes
    std::optional<std::uint64_t> used;              ///< bytes, by all processes
    std::optional<std::uint64_t> total;             ///< bytes
    std::optional<double> celsius;
    std::optional<double> joules;   ///< since some moment
};

/// One thread at a time.
class DeviceMemory {
public:
    virtual ~DeviceMemory() = default;
    virtual DeviceFigures read() = 0;
};

/// NVIDIA's management library, loaded at run time. `index`: as nvidia-smi numbers the devices, which is CUDA's own
/// numbering where CUDA_DEVICE_ORDER is PCI_BUS_ID. Null where the library or the device is not there.
std::shared_ptr<DeviceMemory> open_nvidia_device(unsigned index);

}   // namespace millstream
