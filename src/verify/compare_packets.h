// Copied streams, packet by packet.
#pragma once

#include <functional>
#include <vector>

#include "verify/compare_files.h"

namespace millstream {

/// Payload and time of every packet of the paired streams; times count from the first frame of each file. Both files
/// are read once, side by side; streams that one of them interleaves so badly that too much would have to be kept are
/// read again, each by itself. `tick` is called now and then with the time that has been reached, in seconds.
void compare_packets(const ComparedFile& source, const ComparedFile& result, const std::vector<StreamPair>& pairs,
                     const VerifyOptions& options, Findings& findings, const std::function<void(double)>& tick);

}   // namespace millstream
