// Frames that a hardware decoder has left in the memory of its device.
#pragma once

#include <optional>

#include "media/av.h"
#include "picture/picture.h"

namespace millstream {

/// Into the host's memory, cropped; a frame that is there already stays as it is. False where it cannot be fetched.
bool fetch_from_device(AVFrame& frame);

/// How the samples lie if the frame is one of CUDA device `device` with the depth and the subsampling of `format`,
/// which is planar; nothing for another layout than NV12, P010 and P016, and where it would have to be cropped on the
/// left or above.
std::optional<DevicePlanes> planes_on_device(const AVFrame& frame, const PixelFormat& format, int device);

/// A picture whose owner is the frame and whose planes lie as planes_on_device() says.
Picture to_device_picture(av::Frame frame, const PixelFormat& format, const DevicePlanes& as);

}   // namespace millstream
