// Executor on OpenVINO: CPU in fp32 and bf16, Intel's GPUs in fp32 and fp16.
#pragma once

#include <memory>

#include "model/executor.h"

namespace millstream {

/// One infer request and one stream a request; a compiled network for each input shape seen lately.
std::unique_ptr<Executor> make_openvino_executor(const Network& network, const ExecutorSettings& settings);

}   // namespace millstream
