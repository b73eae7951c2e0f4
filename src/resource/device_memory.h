// Memory, temperature and energy of a compute device.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

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

/// NVIDIA's management library, loaded at run time. `index`: CUDA's own number in this process; the library, which
/// numbers otherwise where CUDA_VISIBLE_DEVICES or CUDA_DEVICE_ORDER is set, is asked for the device at its place on
/// the bus. Null where the library or the device is not there.
std::shared_ptr<DeviceMemory> open_nvidia_device(unsigned index);

/// Several as one: memory of the one whose own is fullest, the hottest's temperature, the energy of all. Null where
/// none of `devices` is there.
std::shared_ptr<DeviceMemory> fullest_of(std::vector<std::shared_ptr<DeviceMemory>> devices);

}   // namespace millstream
