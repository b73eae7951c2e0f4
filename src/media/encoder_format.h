// Which pixel format an encoder is given for a source.
#pragma once

#include <string>

#include "media/av.h"
#include "picture/picture.h"

namespace millstream {

struct EncoderFormat {
    PixelFormat format;                      ///< of the pictures
    AVPixelFormat input = AV_PIX_FMT_NONE;   ///< what the encoder is fed in host memory: the same or packed (p010)
};

/// The format nearest to `source`. In this order: same colour family, no chroma resolution lost, no bits lost, then as
/// little as possible beyond the source, then planes rather than packed samples. Rgb sources count as 4:4:4 (codecs
/// that take rgb directly are badly supported by players) except for codecs that lose nothing, gray ones as gray or
/// else 4:2:0. An alpha plane of `source` comes before all of this. Throws Error(usage) when the encoder takes nothing
/// that can be made.
EncoderFormat choose_encoder_format(const AVCodec& encoder, const PixelFormat& source);

/// The format of this FFmpeg name. Throws Error(usage) where there is none, or the encoder does not take it.
EncoderFormat named_encoder_format(const AVCodec& encoder, const std::string& name);

/// The device whose memory the encoder wants its frames in, where it takes no other; else AV_PIX_FMT_NONE.
AVPixelFormat device_only_format(const AVCodec& encoder);

}   // namespace millstream
