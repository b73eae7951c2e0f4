#include "model/executor.h"

#include <ATen/ops/empty.h>
#include <torch/headeronly/version.h>
#include <openvino/core/version.hpp>

#include <string>
#include <utility>
#include <vector>

#include "base/cpu.h"
#include "millstream/error.h"
#include "model/analyse.h"
#include "model/device.h"
#include "model/lower.h"
#include "model/openvino_executor.h"
#include "model/precision.h"
#include "model/shared_executor.h"
#include "model/torch_executor.h"

namespace millstream {
namespace {

[[noreturn]] void refuse(std::string why, std::string hint) {
    throw Error(ErrorKind::usage, {"choosing how to run the network", {}, std::move(why), std::move(hint)});
}

}   // namespace

void resolve_backend(ExecutorSettings& settings) {
    const std::vector<std::string> devices = device_words(settings.device);
    const bool cpu = devices.front() == "cpu";
    const bool cuda = is_cuda(devices.front());
    if (settings.backend == Backend::automatic) {
        settings.backend = cuda ? Backend::torch : Backend::openvino;
    }
    if (settings.backend == Backend::openvino && cuda) {
        refuse("OpenVINO does not run on " + settings.device, "Use --backend torch or --device cpu");
    }
    if (settings.backend == Backend::torch && !cuda && !cpu) {
        refuse("Torch does not run on " + settings.device, "Use --backend openvino or --device cpu");
    }
    if (cuda && settings.links.empty()) {
        for (const std::string& device : devices) {
            settings.links.push_back(open_device_link(device));
        }
    }
    if (settings.precision == Precision::automatic) {
        settings.precision = cpu ? base_precision() : Precision::fp16;
    }
    if (settings.precision == Precision::fp16 && cpu) {
        refuse("fp16 needs a GPU", "Use --precision fp32 or bf16");
    }
    if (settings.precision == Precision::bf16 && settings.backend == Backend::openvino && cpu && !cpu_has_bf16()) {
        refuse("this CPU has no bf16 arithmetic (AVX512_BF16 or AMX), and OpenVINO would silently compute in fp32",
               "Use --precision fp32, or --backend torch for bf16 in software, which is slow");
    }
    if (settings.precision == Precision::int8 && (settings.backend != Backend::openvino || !cpu)) {
        refuse("int8 runs on the CPU with OpenVINO only", "Use --backend openvino and --device cpu, or no --precision");
    }
    settings.threads = settings.threads > 0 ? settings.threads : usable_cpus();
    settings.requests = settings.requests > 0 ? settings.requests : 1;
}

Precision base_precision() {
    return cpu_gains_from_bf16() ? Precision::bf16 : Precision::fp32;
}

Precision beside_int8(Precision precision) {
    return precision == Precision::int8 ? base_precision() : precision;
}

std::unique_ptr<Executor> make_executor(const Network& network, const ExecutorSettings& settings) {
    if (settings.backend == Backend::automatic || settings.precision == Precision::automatic) {
        throw Error(ErrorKind::internal, {"preparing the network", network.name, "the settings are not resolved", {}});
    }
    if (device_words(settings.device).size() > 1) {
        return make_shared_executor(network, settings);
    }
    return settings.backend == Backend::torch ? make_torch_executor(network, settings)
                                              : make_openvino_executor(network, settings);
}

double activation_bytes_per_pixel(const Network& network, Precision precision) {
    const Network run = lowered(network);
    const Precision kept = beside_int8(precision);
    std::vector<double> bytes(run.nodes.size(), kept == Precision::fp32 ? 4.0 : 2.0);
    const std::vector<bool> fp32 = layers_in_fp32(run);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = fp32[i] ? 4.0 : bytes[i];
    }
    return most_alive(run, bytes);
}

at::Tensor run_once(Executor& executor, const Network& network, const at::Tensor& input) {
    at::Tensor output =
        at::empty({input.size(0), network.channels, input.size(2) * network.scale, input.size(3) * network.scale},
                  input.options());
    executor.start(0, input, output);
    executor.wait(0);
    return output;
}

std::string backend_versions() {
    const ov::Version version = ov::get_openvino_version();
    const std::string build = version.buildNumber;   // 2026.4.1-21234-abcdef
    return std::string("torch ") + TORCH_VERSION + ", OpenVINO " + build.substr(0, build.find('-'));
}

}   // namespace millstream
