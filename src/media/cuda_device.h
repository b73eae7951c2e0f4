// FFmpeg's CUDA device on the context that the rest of the process computes in.
#pragma once

#include <string>

#include "media/av.h"
#include "media/decoder.h"

namespace millstream {

/// The device in its primary context, which CUDA's run time, and with it Torch, uses, and with `place.stream` for what
/// FFmpeg itself does there. Null, with the reason in `why`, where it cannot be had.
av::Buffer open_cuda_device(const DevicePlace& place, std::string& why);

}   // namespace millstream
