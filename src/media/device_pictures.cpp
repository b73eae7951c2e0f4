#include "media/device_pictures.h"

extern "C" {
#include <libavutil/hwcontext.h>
}

#include <algorithm>
#include <string>
#include <utility>

#include "media/av.h"
#include "media/cuda_device.h"
#include "media/device_frame.h"
#include "media/log.h"

namespace millstream {
namespace {

constexpr const char* kOpening = "opening the encoder's device";

// How the device holds pictures of `format`; none: it does not.
AVPixelFormat layout_of(const PixelFormat& format) {
    if (!format.is_420() || format.alpha) {
        return AV_PIX_FMT_NONE;
    }
    return format.depth == 8 ? AV_PIX_FMT_NV12 : format.depth == 10 ? AV_PIX_FMT_P010 : AV_PIX_FMT_NONE;
}

bool takes(const AVCodec& codec, AVPixelFormat wanted) {
    const AVPixelFormat* format = av::encoder_formats(codec);
    while (format != nullptr && *format != AV_PIX_FMT_NONE && *format != wanted) {
        ++format;
    }
    return format != nullptr && *format == wanted;
}

}   // namespace

bool reads_on_device(const EncoderSettings& settings) {
    const AVCodec* codec = avcodec_find_encoder_by_name(settings.encoder.c_str());
    const AVPixelFormat layout = layout_of(settings.format);
    const bool told = std::any_of(settings.extra.begin(), settings.extra.end(),
                                  [](const auto& option) { return option.first == "gpu"; });
    return codec != nullptr && layout != AV_PIX_FMT_NONE && !told && takes(*codec, AV_PIX_FMT_CUDA) &&
           takes(*codec, layout);
}

struct DevicePictures::State {
    DevicePlace place;
    PixelFormat format;
    av::Buffer device;
    av::Buffer frames;
};

DevicePictures::DevicePictures(const DevicePlace& place, const EncoderSettings& settings)
    : state_(std::make_shared<State>(State{place, settings.format, nullptr, nullptr})) {
    const auto fail = [&](const std::string& why) {
        throw Error(ErrorKind::usage, {kOpening, settings.encoder, why, "Choose an encoder that runs on the CPU"});
    };
    std::string why;
    state_->device = open_cuda_device(place, why);
    if (!state_->device) {
        fail(why);
    }
    state_->frames.reset(av_hwframe_ctx_alloc(state_->device.get()));
    if (!state_->frames) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kOpening, settings.encoder);
    }
    auto* const pool = reinterpret_cast<AVHWFramesContext*>(state_->frames->data);
    pool->format = AV_PIX_FMT_CUDA;
    pool->sw_format = layout_of(settings.format);
    pool->width = settings.width;
    pool->height = settings.height;   // it grows as pictures are taken
    const LogCapture log;
    const int initialised = av_hwframe_ctx_init(state_->frames.get());
    if (initialised < 0) {
        fail(log.text().empty() ? av::describe(initialised) : log.text());
    }
}

Picture DevicePictures::take() {
    const LogCapture log;
    av::Frame frame = av::make_frame();
    av::check(av_hwframe_get_buffer(state_->frames.get(), frame.get(), 0), ErrorKind::resource,
              "taking memory of the device for a picture", "the encoder's input");
    const DevicePlanes planes = planes_on_device(*frame, state_->format, state_->place.device).value();
    return to_device_picture(std::move(frame), state_->format, planes);
}

const AVBufferRef& DevicePictures::frames() const {
    return *state_->frames;
}

}   // namespace millstream
