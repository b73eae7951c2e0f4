#include "media/device_frame.h"

extern "C" {
#include <libavutil/hwcontext.h>
}

#include <utility>

#include "media/frame_fitter.h"

namespace millstream {

bool fetch_from_device(AVFrame& frame) {
    if (frame.hw_frames_ctx == nullptr) {
        return true;
    }
    const av::Frame host = av::make_frame();
    if (av_hwframe_transfer_data(host.get(), &frame, 0) < 0 || av_frame_copy_props(host.get(), &frame) < 0 ||
        av_frame_apply_cropping(host.get(), AV_FRAME_CROP_UNALIGNED) < 0) {
        return false;
    }
    av_frame_unref(&frame);
    av_frame_move_ref(&frame, host.get());
    return true;
}

std::optional<DevicePlanes> planes_on_device(const AVFrame& frame, const PixelFormat& format, int device) {
    constexpr int kBits = 16;
    const bool is_cropped = frame.crop_left != 0 || frame.crop_top != 0;
    if (frame.format != AV_PIX_FMT_CUDA || frame.hw_frames_ctx == nullptr || is_cropped || !format.is_420() ||
        format.alpha) {
        return std::nullopt;
    }
    switch (reinterpret_cast<const AVHWFramesContext*>(frame.hw_frames_ctx->data)->sw_format) {
        case AV_PIX_FMT_NV12:
            return format.depth == 8 ? std::optional(DevicePlanes{.device = device}) : std::nullopt;
        case AV_PIX_FMT_P010:
        case AV_PIX_FMT_P016:   // in which decoders put 12 bits, too
            return format.depth > 8 ? std::optional(DevicePlanes{.device = device, .empty_bits = kBits - format.depth})
                                    : std::nullopt;
        default:
            return std::nullopt;
    }
}

Picture to_device_picture(av::Frame frame, const PixelFormat& format, const DevicePlanes& as) {
    Picture picture = to_picture(std::move(frame), format);
    picture.planes[2] = picture.planes[1];
    picture.planes[2].data += format.bytes_per_sample();
    picture.on_device = as;
    return picture;
}

}   // namespace millstream
