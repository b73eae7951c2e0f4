#include "media/video_encoder.h"

extern "C" {
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include "media/colour_tags.h"
#include "media/encoder_format.h"
#include "media/encoder_options.h"
#include "media/frame_fitter.h"
#include "media/log.h"
#include "media/pixel_formats.h"

namespace millstream {
namespace {

constexpr const char* kOpening = "opening the encoder";

[[noreturn]] void refuse(const EncoderSettings& settings, std::string why, std::string hint) {
    throw Error(ErrorKind::usage, {kOpening, settings.encoder, std::move(why), std::move(hint)});
}

// x264 and x265 only warn of what they do not understand inside x264-params and x265-params.
bool is_refused_parameter(std::string_view line) {
    return line.starts_with("Error parsing option") || line.starts_with("Unknown option") ||
           line.starts_with("Invalid value for") || line.starts_with("bad option");
}

std::string list_options(const EncoderSettings& settings) {
    std::string text;
    for (const auto& [name, value] : settings.extra) {
        text += (text.empty() ? "" : ", ") + name + "=" + value;
    }
    return text;
}

// FFmpeg's own MPEG encoders have no closed GOPs beside their scene cuts, and refuse the flag.
bool is_mpeg(AVCodecID codec) {
    return codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_MPEG2VIDEO || codec == AV_CODEC_ID_MPEG4;
}

AVHWDeviceType type_of_device(const AVCodec& codec, AVPixelFormat format) {
    for (int i = 0;; ++i) {
        const AVCodecHWConfig* config = avcodec_get_hw_config(&codec, i);
        if (config == nullptr) {
            return AV_HWDEVICE_TYPE_NONE;
        }
        if (config->pix_fmt == format) {
            return config->device_type;
        }
    }
}

}   // namespace

VideoEncoder::VideoEncoder(const EncoderSettings& settings, bool global_header, const DevicePictures* surfaces)
    : format_(settings.format), input_format_(av_get_pix_fmt(settings.pixel_format_name.c_str())) {
    const AVCodec* codec = avcodec_find_encoder_by_name(settings.encoder.c_str());
    if (codec == nullptr || codec->type != AVMEDIA_TYPE_VIDEO) {
        refuse(settings, "this FFmpeg has no such video encoder", "`ffmpeg -encoders` lists those it has");
    }
    context_.reset(avcodec_alloc_context3(codec));
    if (!context_) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kOpening, settings.encoder);
    }
    context_->width = settings.width;
    context_->height = settings.height;
    context_->pix_fmt = input_format_;
    context_->framerate = av::to_av(settings.frame_rate);
    context_->time_base = av_inv_q(context_->framerate);   // Note [Frame indices]
    context_->sample_aspect_ratio = av::to_av(settings.sample_aspect);
    context_->flags |= global_header ? AV_CODEC_FLAG_GLOBAL_HEADER : 0;
    if (!is_mpeg(codec->id)) {
        context_->flags |= AV_CODEC_FLAG_CLOSED_GOP;
    }
    context_->err_recognition |= AV_EF_EXPLODE;   // SVT-AV1 refuses unknown parameters only then
    tag(*context_, settings.colour, settings.format);
    set_field_order(settings.field_order);
    const LogCapture log;
    if (surfaces != nullptr) {
        read_from(*surfaces);
    } else if (device_only_format(*codec) != AV_PIX_FMT_NONE) {
        open_device();
    }
    apply_options(settings);
    open(settings);
}

VideoEncoder::~VideoEncoder() {
    // SVT-AV1 1.4.1 waits for its last packet when it is closed: for ever, if it never had a picture.
    if (!opened_ || drained_ || std::string_view(context_->codec->name) != "libsvtav1") {
        return;
    }
    try {
        if (!fed_) {
            send_black();
        }
        drain();
        const av::Packet packet = av::make_packet();
        while (receive(*packet)) {
            av_packet_unref(packet.get());
        }
    } catch (const std::exception&) {   // closing may then hang; throwing here would be worse
    }
}

// x264 codes fields; the others code frames, and only the container says that there are fields in them.
void VideoEncoder::set_field_order(FieldOrder order) {
    field_order_ = order;
    if (order == FieldOrder::progressive) {
        return;
    }
    context_->field_order = order == FieldOrder::top_first ? AV_FIELD_TT : AV_FIELD_BB;
    if (std::string_view(context_->codec->name) == "libx264") {
        context_->flags |= AV_CODEC_FLAG_INTERLACED_DCT;
    }
}

void VideoEncoder::apply_options(const EncoderSettings& settings) {
    for (const auto& [name, value] : encoder_options(settings, *context_->codec)) {
        const LogCapture log;
        const int code = av_opt_set(context_.get(), name.c_str(), value.c_str(), AV_OPT_SEARCH_CHILDREN);
        if (code == AVERROR_OPTION_NOT_FOUND) {
            refuse(settings, "it has no option '" + name + "'",
                   "`ffmpeg -h encoder=" + settings.encoder + "` lists its options");
        }
        if (code < 0) {
            refuse(settings,
                   "its option '" + name + "' does not take '" + value + "'" +
                       (log.text().empty() ? "" : ": " + log.text()),
                   "`ffmpeg -h encoder=" + settings.encoder + "` lists its options and their values");
        }
    }
}

void VideoEncoder::open(const EncoderSettings& settings) {
    const LogCapture log;
    const int code = avcodec_open2(context_.get(), context_->codec, nullptr);
    if (code == AVERROR(ENOMEM)) {
        av::fail(ErrorKind::resource, code, kOpening, settings.encoder);
    }
    if (code < 0) {
        const std::string options = list_options(settings);
        refuse(settings,
               (log.text().empty() ? av::describe(code) : log.text()) + " (" + std::to_string(settings.width) + "x" +
                   std::to_string(settings.height) + " " + settings.pixel_format_name +
                   (settings.preset.empty() ? "" : ", preset " + settings.preset) +
                   (options.empty() ? "" : ", " + options) + ")",
               "Check the preset and the encoder's options, or choose another encoder");
    }
    const auto refused = std::find_if(log.lines().begin(), log.lines().end(), is_refused_parameter);
    if (refused != log.lines().end()) {
        refuse(settings, *refused, "Check " + traits_of(settings.encoder).parameters_option);
    }
    opened_ = true;
}

void VideoEncoder::send_black() {
    PicturePool pool(format_, context_->width, context_->height);
    const Picture picture = pool.take();
    for (int plane = 0; plane < format_.planes(); ++plane) {
        const Plane& to = picture.planes[static_cast<std::size_t>(plane)];
        std::fill_n(to.data, to.stride * format_.plane_height(plane, context_->height), std::byte{0});
    }
    send(picture, 0);
}

// For encoders that take frames in device memory only (VAAPI): a pool there, into which pictures are uploaded.
void VideoEncoder::open_device() {
    const AVPixelFormat device_format = device_only_format(*context_->codec);
    const std::string name = context_->codec->name;
    const auto fail = [&](const std::string& why) {
        throw Error(ErrorKind::usage, {kOpening, name, why, "Choose an encoder that runs on the CPU, e.g. libx264"});
    };
    const LogCapture log;
    const AVHWDeviceType type = type_of_device(*context_->codec, device_format);
    AVBufferRef* device = nullptr;
    const int created =
        type == AV_HWDEVICE_TYPE_NONE ? AVERROR(ENODEV) : av_hwdevice_ctx_create(&device, type, nullptr, nullptr, 0);
    if (created < 0) {
        fail("its device cannot be opened: " + (log.text().empty() ? av::describe(created) : log.text()));
    }
    device_.reset(device);
    const av::Buffer frames(av_hwframe_ctx_alloc(device));
    if (!frames) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kOpening, name);
    }
    auto* pool = reinterpret_cast<AVHWFramesContext*>(frames->data);
    pool->format = device_format;
    pool->sw_format = input_format_;
    pool->width = context_->width;
    pool->height = context_->height;
    pool->initial_pool_size = 32;
    const int initialised = av_hwframe_ctx_init(frames.get());
    if (initialised < 0) {
        fail("its device has no room for frames: " + (log.text().empty() ? av::describe(initialised) : log.text()));
    }
    context_->pix_fmt = device_format;
    context_->hw_frames_ctx = av_buffer_ref(frames.get());
}

void VideoEncoder::read_from(const DevicePictures& surfaces) {
    const AVBufferRef& frames = surfaces.frames();
    const auto* const pool = reinterpret_cast<const AVHWFramesContext*>(frames.data);
    device_.reset(av_buffer_ref(pool->device_ref));
    context_->hw_frames_ctx = av_buffer_ref(&frames);
    context_->pix_fmt = pool->format;
    context_->sw_pix_fmt = pool->sw_format;
    input_format_ = pool->sw_format;
}

av::Frame VideoEncoder::frame_of(const Picture& picture) {
    if (picture.on_device) {   // of DevicePictures
        av::Frame frame = av::make_frame();
        av::check(av_frame_ref(frame.get(), static_cast<const AVFrame*>(picture.owner.get())), ErrorKind::resource,
                  "encoding a picture", context_->codec->name);
        return frame;
    }
    av::Frame frame = planar_format(input_format_) ? to_frame(picture, input_format_) : pack(picture);
    return device_ ? upload(std::move(frame)) : std::move(frame);
}

void VideoEncoder::send(const Picture& picture, std::int64_t index) {
    if (picture.format != format_ || picture.width != context_->width || picture.height != context_->height) {
        throw Error(ErrorKind::internal,
                    {"encoding a picture", "picture " + std::to_string(index),
                     "it is " + std::to_string(picture.width) + "x" + std::to_string(picture.height) + " " +
                         describe_format(picture.format) + ", the encoder was opened for another size or format",
                     ""});
    }
    const LogCapture log;
    const av::Frame frame = frame_of(picture);
    frame->pts = index;
    frame->color_range = context_->color_range;
    frame->colorspace = context_->colorspace;
    frame->color_primaries = context_->color_primaries;
    frame->color_trc = context_->color_trc;
    frame->sample_aspect_ratio = context_->sample_aspect_ratio;
    if (field_order_ != FieldOrder::progressive) {
        av::mark_interlaced(*frame, field_order_ == FieldOrder::top_first);
    }
    const int code = avcodec_send_frame(context_.get(), frame.get());
    if (code < 0) {
        throw Error(ErrorKind::resource, {"encoding a picture", "picture " + std::to_string(index),
                                          log.text().empty() ? av::describe(code) : log.text(), ""});
    }
    fed_ = true;
}

// Into the layout that the encoder reads (p010, nv12); depth and subsampling are the same.
av::Frame VideoEncoder::pack(const Picture& picture) {
    const av::Frame planes = to_frame(picture, to_av(picture.format));
    av::Frame packed = av::make_frame();
    packed->format = input_format_;
    packed->width = picture.width;
    packed->height = picture.height;
    av::check(av_frame_get_buffer(packed.get(), 0), ErrorKind::resource, "encoding a picture", "");
    if (!packer_) {
        packer_.reset(sws_getContext(picture.width, picture.height, static_cast<AVPixelFormat>(planes->format),
                                     picture.width, picture.height, input_format_,
                                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr));
        if (!packer_) {
            throw Error(ErrorKind::usage, {"encoding a picture", context_->codec->name,
                                           "libswscale cannot write its pixel format", "Choose another encoder"});
        }
        const int* table = sws_getCoefficients(SWS_CS_DEFAULT);
        const int range = context_->color_range == AVCOL_RANGE_JPEG ? 1 : 0;
        sws_setColorspaceDetails(packer_.get(), table, range, table, range, 0, 1 << 16, 1 << 16);
    }
    sws_scale(packer_.get(), planes->data, planes->linesize, 0, picture.height, packed->data, packed->linesize);
    return packed;
}

av::Frame VideoEncoder::upload(av::Frame frame) {
    av::Frame uploaded = av::make_frame();
    av::check(av_hwframe_get_buffer(context_->hw_frames_ctx, uploaded.get(), 0), ErrorKind::resource,
              "encoding a picture", context_->codec->name);
    av::check(av_hwframe_transfer_data(uploaded.get(), frame.get(), 0), ErrorKind::resource, "encoding a picture",
              context_->codec->name);
    return uploaded;
}

void VideoEncoder::drain() {
    drained_ = true;
    avcodec_send_frame(context_.get(), nullptr);
}

bool VideoEncoder::receive(AVPacket& packet) {
    const LogCapture log;
    const int code = avcodec_receive_packet(context_.get(), &packet);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
        return false;
    }
    if (code < 0) {
        throw Error(ErrorKind::resource, {"encoding a picture", context_->codec->name,
                                          log.text().empty() ? av::describe(code) : log.text(), ""});
    }
    return true;
}

void try_encoder(const EncoderSettings& settings) {
    constexpr int kSmall = 256;   // takes every encoder's smallest size and costs next to nothing
    EncoderSettings small = settings;
    const AVCodec* codec = avcodec_find_encoder_by_name(settings.encoder.c_str());
    if (codec != nullptr && (codec->capabilities & (AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID)) == 0) {
        small.width = std::min(settings.width, kSmall);
        small.height = std::min(settings.height, kSmall);
    }
    const VideoEncoder opened(small, true);
}

}   // namespace millstream
