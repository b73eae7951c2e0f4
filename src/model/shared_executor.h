// One network on several devices of a kind.
#pragma once

#include <memory>

#include "model/executor.h"

namespace millstream {

/// An executor on each device of `settings`; request i runs on device i modulo their number, so that successive inputs
/// take turns. As many requests as asked for, at least one a device.
std::unique_ptr<Executor> make_shared_executor(const Network& network, const ExecutorSettings& settings);

}   // namespace millstream
