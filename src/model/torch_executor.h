// Executor on Torch: any device, fp32, bf16 and (CUDA) fp16.
#pragma once

#include <memory>

#include "model/executor.h"

namespace millstream {

/// One thread a request; CPU threads are shared out among them.
std::unique_ptr<Executor> make_torch_executor(const Network& network, const ExecutorSettings& settings);

}   // namespace millstream
