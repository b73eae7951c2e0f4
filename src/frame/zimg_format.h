// Pictures and colours in zimg's terms. With zimg_graph.h the only place that includes zimg.h.
#pragma once

#include <zimg.h>

#include "picture/picture.h"

namespace millstream {

/// zimg's description of a picture of `format`. Width and height are rounded up to whole chroma samples, which zimg
/// insists on: what lies beyond the picture is padding. Throws Error(input) where zimg has no such format or matrix.
zimg_image_format zimg_picture_format(const PixelFormat& format, const Colour& colour, int width, int height);

/// Planar float R'G'B' of the same primaries and transfer as `like`, which is what a tensor holds.
zimg_image_format zimg_tensor_format(const zimg_image_format& like, int width, int height);

/// A bicubic kernel by its two parameters (Mitchell and Netravali 1988).
struct Bicubic {
    double b = 0;
    double c = 0.5;
};

/// Brings subsampled chroma to full resolution: Catmull-Rom, which passes through the samples it is given.
inline constexpr Bicubic kChromaUp{0, 0.5};

/// Takes full-resolution chroma down again so that it undoes kChromaUp; see Note [Chroma there and back].
Bicubic chroma_down(const PixelFormat& format, ChromaLocation location);

}   // namespace millstream
