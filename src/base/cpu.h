// What the processor offers this process.
#pragma once

namespace millstream {

/// Threads worth starting: min(hardware threads in the affinity mask, cgroup quota rounded up), at least 1.
int usable_cpus();

/// Whether the processor multiplies bf16 in hardware (AVX512_BF16 or AMX). Elsewhere bf16 costs time and gains nothing.
bool cpu_has_bf16();

}   // namespace millstream
