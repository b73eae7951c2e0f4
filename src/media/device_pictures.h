// Pictures in the memory of a CUDA device, for an encoder that reads them there.
#pragma once

#include <memory>

#include "media/decoder.h"
#include "media/encoding.h"
#include "picture/picture.h"

struct AVBufferRef;

namespace millstream {

/// Whether the encoder reads pictures of these settings in CUDA's memory: NVENC does, NV12 and P010. Not where it has
/// been told which GPU to use.
bool reads_on_device(const EncoderSettings& settings);

/// Hands out pictures of one size to be filled (Picture::on_device), and takes their memory back when the last copy,
/// the encoder's included, is gone. Thread-safe. Pictures may outlive it.
class DevicePictures {
public:
    /// For settings of which reads_on_device(). Throws Error(usage) where the device cannot be opened.
    DevicePictures(const DevicePlace& place, const EncoderSettings& settings);
    /// Throws Error(resource) when the device's memory runs out.
    [[nodiscard]] Picture take();

    /// The pool, as FFmpeg has it (AVHWFramesContext): what an encoder must be opened with to read them.
    [[nodiscard]] const AVBufferRef& frames() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}   // namespace millstream
