#include "media/frame_decoder.h"

#include "media/cuda_device.h"
#include "media/demuxer.h"
#include "media/device_frame.h"
extern "C" {
#include <libavutil/hwcontext.h>
}

#include <algorithm>
#include <string_view>

#include "base/cpu.h"
#include "media/log.h"

namespace millstream {
namespace {

std::string known_devices() {
    std::string names;
    for (AVHWDeviceType type = av_hwdevice_iterate_types(AV_HWDEVICE_TYPE_NONE); type != AV_HWDEVICE_TYPE_NONE;
         type = av_hwdevice_iterate_types(type)) {
        names += (names.empty() ? "" : ", ") + std::string(av_hwdevice_get_type_name(type));
    }
    return names;
}

AVPixelFormat format_of_device(const AVCodec& codec, AVHWDeviceType type) {
    for (int i = 0;; ++i) {
        const AVCodecHWConfig* config = avcodec_get_hw_config(&codec, i);
        if (config == nullptr) {
            return AV_PIX_FMT_NONE;
        }
        if ((config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX) != 0 && config->device_type == type) {
            return config->pix_fmt;
        }
    }
}

// VP8 and VP9 have their alpha plane beside them in WebM (BlockAdditional), which FFmpeg's own decoders pass over.
const AVCodec* decoder_of_alpha(const AVStream& stream) {
    const AVDictionaryEntry* mode = av_dict_get(stream.metadata, "alpha_mode", nullptr, 0);
    if (mode == nullptr || std::string_view(mode->value) != "1") {
        return nullptr;
    }
    switch (stream.codecpar->codec_id) {
        case AV_CODEC_ID_VP8:
            return avcodec_find_decoder_by_name("libvpx");
        case AV_CODEC_ID_VP9:
            return avcodec_find_decoder_by_name("libvpx-vp9");
        default:
            return nullptr;
    }
}

// av1 needs its native decoder for hardware; everywhere else FFmpeg's default (libdav1d) is the fast one.
const AVCodec* decoder_of(const AVStream& stream, AVHWDeviceType type) {
    if (const AVCodec* codec = decoder_of_alpha(stream)) {
        return codec;
    }
    const AVCodec* first = avcodec_find_decoder(stream.codecpar->codec_id);
    if (type == AV_HWDEVICE_TYPE_NONE) {
        return first;
    }
    void* position = nullptr;
    while (const AVCodec* codec = av_codec_iterate(&position)) {
        if (codec->id == stream.codecpar->codec_id && av_codec_is_decoder(codec) != 0 &&
            format_of_device(*codec, type) != AV_PIX_FMT_NONE) {
            return codec;
        }
    }
    return first;
}

[[noreturn]] void refuse_device(const std::string& device, std::string why) {
    throw Error(ErrorKind::usage,
                {"opening the decoding device", device, std::move(why), "Leave --hwaccel away to decode on the CPU"});
}

AVHWDeviceType device_type(const std::string& device) {
    if (device.empty()) {
        return AV_HWDEVICE_TYPE_NONE;
    }
    const AVHWDeviceType type = av_hwdevice_find_type_by_name(device.c_str());
    if (type == AV_HWDEVICE_TYPE_NONE) {
        refuse_device(device, "this FFmpeg knows no such device; it knows " + known_devices());
    }
    return type;
}

av::Buffer create_device(AVHWDeviceType type, std::string& why) {
    const LogCapture log;
    AVBufferRef* context = nullptr;
    const int created = av_hwdevice_ctx_create(&context, type, nullptr, nullptr, 0);
    if (created < 0) {
        why = log.text().empty() ? av::describe(created) : log.text();
    }
    return av::Buffer(context);
}

}   // namespace

int decoder_threads(int requested) {
    constexpr int kMostThreads = 16;
    return requested > 0 ? requested : std::min(usable_cpus(), kMostThreads);
}

FrameDecoder::FrameDecoder(const Demuxer& demuxer, int index, const DecoderSettings& settings) {
    const LogCapture log;
    const AVStream& stream = demuxer.stream(index);
    const std::string subject = demuxer.name() + ", stream " + std::to_string(index);
    const AVCodec* codec = decoder_of(stream, device_type(settings.hwaccel));
    if (codec == nullptr) {
        throw Error(ErrorKind::input, {"opening the decoder", subject,
                                       std::string("this FFmpeg has no decoder for '") +
                                           avcodec_get_name(stream.codecpar->codec_id) + "'",
                                       "Convert the video to a common codec first"});
    }
    context_.reset(avcodec_alloc_context3(codec));
    if (!context_) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "opening the decoder", subject);
    }
    av::check(avcodec_parameters_to_context(context_.get(), stream.codecpar), ErrorKind::input, "opening the decoder",
              subject);
    context_->opaque = this;
    context_->pkt_timebase = stream.time_base;
    context_->max_pixels = demuxer.limits().pixels;
    context_->thread_count = decoder_threads(settings.threads);
    context_->flags |= AV_CODEC_FLAG_UNALIGNED;   // exact cropping; FrameFitter aligns
    context_->export_side_data |= settings.film_grain_apart ? AV_CODEC_EXPORT_DATA_FILM_GRAIN : 0;
    if (!settings.hwaccel.empty()) {
        open_device(*codec, settings, demuxer.name());
    }
    const int opened = avcodec_open2(context_.get(), codec, nullptr);
    if (opened < 0) {
        throw Error(ErrorKind::input,
                    {"opening the decoder", subject, log.text().empty() ? av::describe(opened) : log.text(),
                     "The stream's headers are damaged, or beyond what this decoder takes"});
    }
}

void FrameDecoder::open_device(const AVCodec& codec, const DecoderSettings& settings, const std::string& file) {
    const std::string& device = settings.hwaccel;
    const AVHWDeviceType type = device_type(device);
    device_format_ = format_of_device(codec, type);
    if (device_format_ == AV_PIX_FMT_NONE) {
        refuse_device(device, std::string("it cannot decode '") + codec.name + "', the codec of " + file);
    }
    stays_ = settings.stay && type == AV_HWDEVICE_TYPE_CUDA;
    std::string why;
    device_ = stays_ ? open_cuda_device(*settings.stay, why) : create_device(type, why);
    if (!device_) {
        refuse_device(device, why);
    }
    if (stays_) {
        context_->thread_count = std::min(context_->thread_count, kThreadsBesideDevice);
        context_->extra_hw_frames = kFramesOfOurs;
    }
    context_->hw_device_ctx = av_buffer_ref(device_.get());
    context_->get_format = choose_format;
}

AVPixelFormat FrameDecoder::choose_format(AVCodecContext* context, const AVPixelFormat* formats) {
    const AVPixelFormat wanted = static_cast<const FrameDecoder*>(context->opaque)->device_format_;
    for (const AVPixelFormat* format = formats; *format != AV_PIX_FMT_NONE; ++format) {
        if (*format == wanted) {
            return wanted;
        }
    }
    return avcodec_default_get_format(context, formats);
}

bool FrameDecoder::send(const AVPacket& packet) {
    const LogCapture log;
    const int code = avcodec_send_packet(context_.get(), &packet);
    if (code == AVERROR(ENOMEM)) {
        av::fail(ErrorKind::resource, code, "decoding a packet", avcodec_get_name(context_->codec_id));
    }
    if (code < 0) {
        complaint_ = log.text();
    }
    return code >= 0;
}

void FrameDecoder::drain() {
    avcodec_send_packet(context_.get(), nullptr);
}

FrameDecoder::Result FrameDecoder::receive(AVFrame& frame) {
    const LogCapture log;
    const int code = avcodec_receive_frame(context_.get(), &frame);
    if (code == AVERROR(EAGAIN)) {
        return Result::needs_packet;
    }
    if (code == AVERROR_EOF) {
        return Result::finished;
    }
    if (code == AVERROR(ENOMEM)) {
        av::fail(ErrorKind::resource, code, "decoding a frame", avcodec_get_name(context_->codec_id));
    }
    if (code < 0 || (!stays_ && !fetch_from_device(frame))) {
        complaint_ = log.text();
        return Result::damaged;
    }
    const bool damaged = frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
    flagged_ += damaged ? 1 : 0;
    return Result::frame;
}

av::Frame first_frame(Demuxer& demuxer, int stream, std::string& complaint) {
    constexpr int kMostPackets = 2000;
    demuxer.select({stream});
    FrameDecoder decoder(demuxer, stream, {.threads = 1, .hwaccel = "", .film_grain_apart = true});
    const av::Packet packet = av::make_packet();
    av::Frame frame = av::make_frame();
    bool draining = false;
    for (int packets = 0, failures = 0; failures < kMostPackets;) {
        const FrameDecoder::Result result = decoder.receive(*frame);
        if (result == FrameDecoder::Result::frame) {
            return frame;
        }
        if (result == FrameDecoder::Result::finished) {
            break;
        }
        if (result == FrameDecoder::Result::damaged || draining) {
            ++failures;
        } else if (packets++ < kMostPackets && demuxer.read(*packet)) {
            decoder.send(*packet);
        } else {
            draining = true;
            decoder.drain();
        }
    }
    complaint = decoder.complaint();
    return nullptr;
}

}   // namespace millstream
