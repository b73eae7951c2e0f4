#include "model/device.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <openvino/runtime/core.hpp>

#include "base/bytes.h"
#include "base/cpu.h"
#include "millstream/error.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOpenVino = "openvino:";

bool nvidia_driver_is_there() {
    std::error_code none;
    return fs::exists("/dev/nvidiactl", none) || fs::exists("/dev/dxg", none);   // dxg: the subsystem on Windows
}

// Not linked: without it the program starts in a quarter of the time, and runs where it is missing. Empty = it is
// there.
std::string load_cuda() {
    Dl_info here{};
    const bool found = dladdr(reinterpret_cast<void*>(&at::get_num_threads), &here) != 0;
    const fs::path library = fs::path(found ? here.dli_fname : "").parent_path() / "libtorch_cuda.so";
    if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
        const char* reason = dlerror();
        return std::string("Torch's CUDA library cannot be loaded: ") + (reason != nullptr ? reason : "unknown");
    }
    return at::globalContext().hasCUDA() ? "" : "Torch finds no CUDA device";
}

// The driver's own list, by place on the bus. CUDA may number them otherwise, and leave some out: then names are not
// given.
std::vector<std::string> nvidia_names(std::size_t wanted) {
    std::map<fs::path, std::string> models;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", none)) {
        std::ifstream information(entry.path() / "information");
        for (std::string line; std::getline(information, line);) {
            if (line.starts_with("Model:")) {
                models[entry.path()] = line.substr(std::min(line.find_first_not_of(" \t", 6), line.size()));
            }
        }
    }
    std::vector<std::string> names;
    for (const auto& [path, model] : models) {
        names.push_back(model);
    }
    const bool alike = std::adjacent_find(names.begin(), names.end(), std::not_equal_to<>()) == names.end();
    return names.size() == wanted || alike ? names : std::vector<std::string>{};
}

void add_cuda(DevicesHere& here) {
    here.no_cuda = load_cuda();
    if (!here.no_cuda.empty()) {
        return;
    }
    const auto count = static_cast<std::size_t>(at::accelerator::deviceCount());
    const std::vector<std::string> names = nvidia_names(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto [free, total] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(i));
        here.devices.push_back({"cuda:" + std::to_string(i), i < names.size() ? names[i] : "CUDA device", total, free});
    }
}

void add_openvino_gpus(DevicesHere& here) {
    ov::Core core;
    for (const std::string& name : core.get_available_devices()) {
        if (name.starts_with("GPU")) {
            here.devices.push_back({kOpenVino + name, core.get_property(name, ov::device::full_name), 0, 0});
        }
    }
}

std::string list_of(const DevicesHere& here) {
    std::string text;
    for (const DeviceInfo& device : here.devices) {
        text += (text.empty() ? "" : ", ") + device.word + " (" + names({device}) + ")";
    }
    return text;
}

[[noreturn]] void refuse(const std::string& word, const std::string& why, const DevicesHere& here) {
    throw Error(ErrorKind::usage, {"choosing the device", "--device " + word, why, "Here there are: " + list_of(here)});
}

const DeviceInfo* find(const std::string& word, const DevicesHere& here) {
    const auto found = std::find_if(here.devices.begin(), here.devices.end(),
                                    [&word](const DeviceInfo& device) { return device.word == word; });
    return found == here.devices.end() ? nullptr : &*found;
}

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < 4 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= '0' && c <= '9'; });
}

const DeviceInfo& chosen(const std::string& word, Backend backend, const DevicesHere& here) {
    const DeviceInfo& processor = here.devices.front();
    if (word == "auto" || (word.starts_with("auto:") && is_number(word.substr(5)))) {
        const DeviceInfo* cuda = find("cuda:" + (word == "auto" ? "0" : word.substr(5)), here);
        return cuda == nullptr || backend == Backend::openvino ? processor : *cuda;
    }
    std::string full = word;
    if (word == "cuda") {
        full = "cuda:0";
    } else if (word == "openvino:CPU") {
        full = "cpu";
    } else if (word == "openvino:GPU" && find(word, here) == nullptr) {
        full = "openvino:GPU.0";   // what it is called where there are several
    }
    if (const DeviceInfo* device = find(full, here)) {
        return *device;
    }
    const bool known = full.starts_with("cuda:") ? is_number(full.substr(5)) : is_openvino_gpu(full);
    if (!known) {
        refuse(word, "it is not the name of a device: write auto, cpu, cuda:N or openvino:GPU.N", here);
    }
    refuse(word, is_cuda(full) && !here.no_cuda.empty() ? here.no_cuda : "there is no such device", here);
}

}   // namespace

bool is_cuda(const std::string& word) {
    return word == "cuda" || word.starts_with("cuda:");
}

bool is_openvino_gpu(const std::string& word) {
    return word == "openvino:GPU" || (word.starts_with("openvino:GPU.") && is_number(word.substr(13)));
}

std::vector<std::string> device_words(const std::string& text) {
    std::vector<std::string> words;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        words.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return words;
}

DevicesHere find_devices(const std::string& asked) {
    DevicesHere here;
    here.devices.push_back({"cpu", cpu_name(), 0, 0});
    const std::vector<std::string> wanted = device_words(asked);
    const auto any = [&wanted](auto&& of_kind) { return std::any_of(wanted.begin(), wanted.end(), of_kind); };
    const bool unclear = any([](const std::string& word) {   // then the list in the refusal is to be whole
        return !word.starts_with("auto") && word != "cpu";
    });
    if (unclear || (nvidia_driver_is_there() && any([](const std::string& word) { return word != "cpu"; }))) {
        add_cuda(here);
    }
    if (unclear) {
        add_openvino_gpus(here);
    }
    return here;
}

std::vector<DeviceInfo> choose_devices(const std::string& asked, Backend backend, const DevicesHere& here) {
    std::vector<DeviceInfo> devices;
    for (const std::string& word : device_words(asked)) {
        const DeviceInfo& device = chosen(word, backend, here);
        if (std::find(devices.begin(), devices.end(), device) == devices.end()) {
            devices.push_back(device);
        }
    }
    const auto kind = [](const DeviceInfo& device) { return is_cuda(device.word) + 2 * is_openvino_gpu(device.word); };
    for (const DeviceInfo& device : devices) {
        if (kind(device) != kind(devices.front())) {
            refuse(asked, "devices that share a video must be of one kind, or their pictures would differ", here);
        }
    }
    return devices;
}

std::string words(const std::vector<DeviceInfo>& devices) {
    std::string text;
    for (const DeviceInfo& device : devices) {
        text += (text.empty() ? "" : ",") + device.word;
    }
    return text;
}

std::string names(const std::vector<DeviceInfo>& devices) {
    std::string text;
    for (std::size_t i = 0; i < devices.size();) {
        std::size_t alike = i;
        while (alike < devices.size() && devices[alike].name == devices[i].name) {
            ++alike;
        }
        text += (text.empty() ? "" : "; ") + (alike - i > 1 ? std::to_string(alike - i) + " x " : std::string()) +
                devices[i].name + (devices[i].memory > 0 ? ", " + format_bytes(devices[i].memory) : std::string());
        i = alike;
    }
    return text;
}

}   // namespace millstream
