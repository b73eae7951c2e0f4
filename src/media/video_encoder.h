// Pictures -> packets, in frame indices (Note [Frame indices] in frame_clock.h).
#pragma once

#include <cstdint>

#include "media/av.h"
#include "media/device_pictures.h"
#include "media/encoding.h"
#include "picture/picture.h"

namespace millstream {

/// One opened encoder; closed GOPs. Software encoders read the picture in place; the ones that want another layout
/// (p010) or device memory (VAAPI) get a converted or uploaded copy. Restarting (a new chunk) is a new object.
class VideoEncoder {
public:
    /// `global_header`: parameter sets in extradata, as MP4 and Matroska want them.
    /// `surfaces`: pictures are of those, made for the same settings; null: they are in the host's memory.
    /// Throws Error(usage) for an option or value the encoder does not take, naming it, and for an absent device.
    VideoEncoder(const EncoderSettings& settings, bool global_header, const DevicePictures* surfaces = nullptr);
    /// Pictures that have not come out are lost. SVT-AV1 encodes them first: it cannot be stopped.
    ~VideoEncoder();
    VideoEncoder(const VideoEncoder&) = delete;
    VideoEncoder& operator=(const VideoEncoder&) = delete;

    /// pts of the packets of this picture will be `index`.
    void send(const Picture& picture, std::int64_t index);
    void drain();
    /// False when it wants more pictures, or is drained. pts, dts: frame indices.
    bool receive(AVPacket& packet);

    [[nodiscard]] const AVCodecContext& context() const { return *context_; }

private:
    void apply_options(const EncoderSettings& settings);
    void set_field_order(FieldOrder order);
    void open_device();
    void read_from(const DevicePictures& surfaces);
    [[nodiscard]] av::Frame frame_of(const Picture& picture);
    void open(const EncoderSettings& settings);
    av::Frame pack(const Picture& picture);
    av::Frame upload(av::Frame frame);
    void send_black();

    av::Buffer device_;
    av::CodecContext context_;
    PixelFormat format_;
    AVPixelFormat input_format_ = AV_PIX_FMT_NONE;   // in host memory
    FieldOrder field_order_ = FieldOrder::progressive;
    av::Scaler packer_;
    bool opened_ = false;
    bool fed_ = false;
    bool drained_ = false;
};

/// Opens the encoder at a small size (a device's at its real one) and closes it again: finds out whether it takes its
/// options, in milliseconds. Throws as the constructor does.
void try_encoder(const EncoderSettings& settings);

}   // namespace millstream
