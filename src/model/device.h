// The devices that networks can run on: which there are, and what the words of --device mean.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "millstream/options.h"

namespace millstream {

/// One device of this machine.
struct DeviceInfo {
    std::string word;           ///< cpu, cuda:0, openvino:GPU.0
    std::string name;           ///< its maker's
    std::uint64_t memory = 0;   ///< bytes of its own; 0 = it computes in the host's
    std::uint64_t free = 0;     ///< of them, now
    friend bool operator==(const DeviceInfo&, const DeviceInfo&) = default;
};

/// All there are, the processor first, and why there is no CUDA device where there is none.
struct DevicesHere {
    std::vector<DeviceInfo> devices;
    std::string no_cuda;
};

/// Looks for those that `asked` may mean: Torch's CUDA library takes a second to load, and is left alone where neither
/// `asked` names it nor a driver is there.
DevicesHere find_devices(const std::string& asked);

/// What `asked` (Options::device) means among them, each once. "auto": the first CUDA device, or the processor; with
/// `backend` openvino the processor. "auto:N": CUDA device N where it is there. Throws Error(usage) that lists what is
/// there.
std::vector<DeviceInfo> choose_devices(const std::string& asked, Backend backend, const DevicesHere& here);

/// "cuda:0,cuda:1".
std::string words(const std::vector<DeviceInfo>& devices);
/// "2 x NVIDIA RTX 4090, 24 GiB".
std::string names(const std::vector<DeviceInfo>& devices);

/// Splits "cuda:0,cuda:1".
std::vector<std::string> device_words(const std::string& text);
bool is_cuda(const std::string& word);
bool is_openvino_gpu(const std::string& word);

}   // namespace millstream
