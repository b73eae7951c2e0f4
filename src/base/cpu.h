// What the processor offers this process.
#pragma once

#include <set>
#include <string>

namespace millstream {

/// Threads worth starting: min(hardware threads in the affinity mask, cgroup quota rounded up), at least 1.
int usable_cpus();

/// What its maker calls it; "processor" where the system does not say.
std::string cpu_name();

/// Whether the processor multiplies bf16 in hardware (AVX512_BF16 or AMX).
bool cpu_has_bf16();

/// Whether networks are faster in bf16 than in fp32 here. Note [Where bf16 pays]
bool cpu_gains_from_bf16();

/// What it can do, by the kernel's names: "avx2", "amx_bf16".
std::set<std::string> cpu_flags();

}   // namespace millstream
