// FFmpeg's pixel formats <-> ours.
//
// Note [Planar equivalents]
// A Picture is planar and native-endian. What a decoder gives is mapped so that no sample loses bits:
//   planar yuv, gray, rgb, 8..16 bit, native-endian       itself; no copy (yuvj* = yuv with full range; gbr* = R G B
//   order) nv12 nv21 nv16 nv24 nv42 p010 p012 p016 p210 p410 ..  planar yuv of the same depth and subsampling yuyv422
//   uyvy422 yvyu422 y210 y212 uyyvyy411 vuya ayuv planar yuv of the same depth and subsampling (+ alpha) the other byte
//   order                                   the same format in this one rgb24 bgr24 rgba argb 0rgb rgb48 rgba64 x2rgb10
//   ..     gbrp of the same depth (+ alpha) rgb565 rgb555 rgb444 rgb8 bgr4, bayer 8 bit            gbrp 8 bit (bayer is
//   interpolated) pal8                                                   gbrap 8 bit monowhite monoblack gray 8 bit ya8
//   ya16 (there is no planar gray with alpha)          gbrap of the same depth gbrpf32 grayf32 gbrp16, gray16: the one
//   lossy row
// A depth that has no planar format takes the next higher one.
#pragma once

#include <optional>

#include "media/av.h"
#include "picture/picture.h"

namespace millstream {

/// Our description of `format` if its planes can be used as they are.
std::optional<PixelFormat> planar_format(AVPixelFormat format);

/// FFmpeg's planar, native-endian, never "yuvj" format for ours; AV_PIX_FMT_NONE where it has none.
AVPixelFormat to_av(const PixelFormat& format);

/// The format of Note [Planar equivalents] for what a decoder gives; nothing for hardware formats and unknown ones.
std::optional<PixelFormat> planar_equivalent(AVPixelFormat format);

/// Full range by its very format, whatever the frame says.
bool is_full_range_format(AVPixelFormat format);

/// FFmpeg's index of our plane: R G B (A) lie in data[2] data[0] data[1] (data[3]).
int av_plane(const PixelFormat& format, int plane);

}   // namespace millstream
