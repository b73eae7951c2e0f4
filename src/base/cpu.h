// What the processor offers this process.
#pragma once

#include <string>

namespace millstream {

/// Threads worth starting: min(hardware threads in the affinity mask, cgroup quota rounded up), at least 1.
int usable_cpus();

/// What its maker calls it; "processor" where the system does not say.
std::string cpu_name();

/// Whether the processor multiplies bf16 in hardware (AVX512_BF16 or AMX). Elsewhere bf16 costs time and gains nothing.
bool cpu_has_bf16();

}   // namespace millstream
