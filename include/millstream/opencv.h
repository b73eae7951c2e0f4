// Frames as cv::Mat, without copies. For programs that use OpenCV themselves; the library does not need this header.
#pragma once

#include <memory>
#include <opencv2/core.hpp>

#include "millstream/error.h"
#include "millstream/frames.h"

namespace millstream {

/// A cv::Mat over a frame's memory, and what keeps it: `mat` and its copies are valid as long as this is.
struct FrameMat {
    cv::Mat mat;   ///< CV_8UC3
    std::shared_ptr<void> owner;
};

/// The packed pixels of a frame, in OpenCV's order unless asked otherwise. Drawing into it changes the frame's packed
/// pixels: hand frame_of(mat) on to have the change seen by what comes next.
inline FrameMat mat_of(const VideoFrame& frame, ChannelOrder order = ChannelOrder::bgr) {
    const PackedPixels pixels = frame.packed(order);
    return {cv::Mat(pixels.height, pixels.width, CV_8UC3, pixels.data, static_cast<std::size_t>(pixels.row)),
            pixels.owner};
}

/// A frame that shares the memory of `mat` (CV_8UC3), which must not change until the frame has gone. `owner`: what
/// keeps a mat over foreign memory, such as FrameMat::owner. Throws Error(usage) for another type.
inline VideoFrame frame_of(const cv::Mat& mat, ChannelOrder order = ChannelOrder::bgr,
                           const std::shared_ptr<void>& owner = {}) {
    if (mat.type() != CV_8UC3 || mat.empty()) {
        throw Error(ErrorKind::usage, {"taking a cv::Mat as a frame", "", "it is empty or not CV_8UC3", ""});
    }
    PackedPixels pixels;
    pixels.data = mat.data;
    pixels.width = mat.cols;
    pixels.height = mat.rows;
    pixels.row = static_cast<std::ptrdiff_t>(mat.step);
    pixels.order = order;
    pixels.owner = std::make_shared<std::pair<cv::Mat, std::shared_ptr<void>>>(mat, owner);
    return VideoFrame(std::move(pixels));
}

}   // namespace millstream
