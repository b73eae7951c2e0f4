// Which part of the picture is enhanced.
#pragma once

#include "media/probe.h"
#include "millstream/options.h"
#include "picture/picture.h"

namespace millstream {

/// A part of a picture and the size of the whole, in pixels.
struct CropArea {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;
    int whole_width = 0;
    int whole_height = 0;
    friend bool operator==(const CropArea&, const CropArea&) = default;
};

/// The picture without the black bars around it: FFmpeg's cropdetect on frames from five places of the video. The whole
/// picture where there are no bars, where everything is black, or where little would be left.
CropArea find_picture(const SourceInfo& source);

/// `wish` on whole chroma samples, and inside the picture. Throws Error(usage) where it is not, or smaller than 16x16.
CropArea checked_crop(const Crop& wish, const SourceInfo& source);

/// The part of `picture` that `area`, on whole chroma samples, says. Shares its pixels.
Picture cut_out(const Picture& picture, const CropArea& area);

/// The chosen video stream of `source` gets the size of the part.
void use_crop(SourceInfo& source, const CropArea& area);

}   // namespace millstream
