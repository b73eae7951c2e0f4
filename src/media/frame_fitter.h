// Any decoded frame -> the format, size and alignment that pictures of this source have.
#pragma once

#include "media/av.h"
#include "picture/picture.h"

namespace millstream {

/// A part of a picture, in pixels.
struct Rectangle {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;
    friend bool operator==(const Rectangle&, const Rectangle&) = default;
};

/// A picture's size with the shape of its pixels (0/1 = square).
struct Shape {
    int width = 0;
    int height = 0;
    Rational sample_aspect{0, 1};
};

/// Where `source` goes in `target`: as large as fits with its display aspect kept, centred, on whole chroma samples.
Rectangle letterbox(const Shape& source, const Shape& target, const PixelFormat& format);

/// Frames that fit and are aligned pass untouched. Others are unpacked (Note [Planar equivalents]) or, where size,
/// range, matrix or format differ from the target, resampled into it by libswscale (bicubic, black borders). One thread
/// at a time.
class FrameFitter {
public:
    FrameFitter(const PixelFormat& format, const Shape& shape, bool full_range, int matrix);

    /// The frame itself or a new one with its properties. Throws Error(input) where libswscale cannot read the format.
    av::Frame fit(av::Frame frame);

    /// Whether size, range and matrix are the target's already.
    [[nodiscard]] bool has_shape_and_colour(const AVFrame& frame) const;

    /// Frames that were resampled because they differ from the target (unpacking does not count).
    [[nodiscard]] std::int64_t resampled() const { return resampled_; }

private:
    [[nodiscard]] bool differs(const AVFrame& frame) const;
    [[nodiscard]] bool usable_as_is(const AVFrame& frame) const;
    av::Frame take_frame();
    void scale(const AVFrame& from, AVFrame& to, const Rectangle& area);
    void copy_alpha(const AVFrame& from, AVFrame& to) const;
    void blacken_outside(AVFrame& frame, const Rectangle& area) const;

    PixelFormat format_;
    AVPixelFormat av_format_;
    Shape shape_;
    bool full_range_;
    int matrix_;
    av::BufferPool pool_;
    av::Scaler scaler_;
    struct {
        int width = 0;
        int height = 0;
        int format = -1;
        bool full_range = false;
        int matrix = 2;
        Rectangle area;
    } scaler_for_;
    std::int64_t resampled_ = 0;
};

/// A picture whose owner is the frame; no pixel is copied. The frame has planes of `format`.
Picture to_picture(av::Frame frame, const PixelFormat& format);

/// A frame that holds a share of the picture; no pixel is copied.
av::Frame to_frame(const Picture& picture, AVPixelFormat format);

}   // namespace millstream
