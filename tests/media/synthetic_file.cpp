#include "media/synthetic_file.h"

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "media/colour_tags.h"
#include "media/pixel_formats.h"
#include "media/probe.h"

namespace millstream::testing {
namespace {

void check(int code, const char* doing) {
    av::check(code, ErrorKind::internal, doing, "synthetic file");
}

void set_options(AVCodecContext& context, const Settings& settings) {
    for (const auto& [name, value] : settings) {
        check(av_opt_set(&context, name.c_str(), value.c_str(), AV_OPT_SEARCH_CHILDREN), name.c_str());
    }
}

// One encoder with its stream; gives packets in the order of their dts.
class Track {
public:
    Track(AVFormatContext& muxer, const std::string& encoder) : stream_(avformat_new_stream(&muxer, nullptr)) {
        codec_ = avcodec_find_encoder_by_name(encoder.c_str());
        if (codec_ == nullptr || stream_ == nullptr) {
            throw std::runtime_error("no encoder " + encoder);
        }
        context_.reset(avcodec_alloc_context3(codec_));
        context_->thread_count = 1;
        if ((muxer.oformat->flags & AVFMT_GLOBALHEADER) != 0) {
            context_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
        }
    }
    virtual ~Track() = default;

    // Encodes the next frame; false when there is none left.
    virtual bool send_next() = 0;

    void drain() { check(avcodec_send_frame(context_.get(), nullptr), "draining"); }

    // MP4 hides what has no duration behind its edit list, and FFmpeg 5.1's video encoders give none.
    virtual void complete(AVPacket& packet) const = 0;

    void collect(std::vector<av::Packet>& packets) {
        for (;;) {
            av::Packet packet = av::make_packet();
            const int code = avcodec_receive_packet(context_.get(), packet.get());
            if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
                return;
            }
            check(code, "encoding");
            packet->stream_index = stream_->index;
            packet->time_base = context_->time_base;
            complete(*packet);
            packets.push_back(std::move(packet));
        }
    }

    AVStream& stream() { return *stream_; }
    AVCodecContext& context() { return *context_; }

protected:
    void open(const Settings& settings) {
        set_options(*context_, settings);
        check(avcodec_open2(context_.get(), codec_, nullptr), "opening the encoder");
        check(avcodec_parameters_from_context(stream_->codecpar, context_.get()), "parameters");
        stream_->time_base = context_->time_base;
    }

    AVStream* stream_;
    const AVCodec* codec_ = nullptr;
    av::CodecContext context_;
};

class VideoTrack : public Track {
public:
    VideoTrack(AVFormatContext& muxer, const SyntheticVideo& video, std::int64_t shift)
        : Track(muxer, video.encoder), video_(video), shift_(shift) {
        context_->width = video.width;
        context_->height = video.height;
        context_->pix_fmt = video.format;
        context_->time_base = video.time_base;
        context_->sample_aspect_ratio = video.sample_aspect;
        context_->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;   // yuvj in mjpeg
        if (video.tag_colour) {
            tag(*context_, video.colour, planar_equivalent(video.format).value());
        }
        open(video.settings);
        stream_->sample_aspect_ratio = video.sample_aspect;
        if (codec_->id == AV_CODEC_ID_RAWVIDEO) {
            stream_->codecpar->codec_tag = avcodec_pix_fmt_to_codec_tag(video.format);
        }
        if (!video.language.empty()) {
            av_dict_set(&stream_->metadata, "language", video.language.c_str(), 0);
        }
    }

    void complete(AVPacket& packet) const override {
        const auto& pts = video_.pts;
        const auto next = std::upper_bound(pts.begin(), pts.end(), packet.pts - shift_);
        const std::int64_t nominal =
            pts.size() > 1 ? pts[1] - pts[0] : video_.time_base.den / video_.time_base.num / 25;
        packet.duration = next == pts.end() ? std::max<std::int64_t>(nominal, 1) : *next - (packet.pts - shift_);
    }

    bool send_next() override {
        if (next_ == video_.pts.size()) {
            return false;
        }
        const av::Frame frame = av::make_frame();
        frame->format = video_.format;
        frame->width = video_.width;
        frame->height = video_.height;
        check(av_frame_get_buffer(frame.get(), 0), "a frame");
        for (int plane = 0; plane < 4 && frame->buf[plane] != nullptr; ++plane) {
            std::fill_n(frame->buf[plane]->data, frame->buf[plane]->size, std::uint8_t{0});
        }
        draw(*frame, static_cast<int>(next_));
        frame->pts = video_.pts[next_] + shift_;
        frame->quality = context_->global_quality;
        ++next_;
        check(avcodec_send_frame(context_.get(), frame.get()), "encoding");
        return true;
    }

private:
    SyntheticVideo video_;
    std::int64_t shift_;
    std::size_t next_ = 0;
};

class AudioTrack : public Track {
public:
    AudioTrack(AVFormatContext& muxer, const SyntheticAudio& audio, double shift_s) : Track(muxer, audio.encoder) {
        context_->sample_rate = audio.sample_rate;
        context_->sample_fmt = codec_->sample_fmts[0];
        context_->time_base = {1, audio.sample_rate};
        context_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
        av_channel_layout_default(&context_->ch_layout, audio.channels);
        open({});
        position_ = std::llround((audio.start_s + shift_s) * audio.sample_rate);
        end_ = position_ + std::llround(audio.duration_s * audio.sample_rate);
        if (!audio.language.empty()) {
            av_dict_set(&stream_->metadata, "language", audio.language.c_str(), 0);
        }
        if (!audio.title.empty()) {
            av_dict_set(&stream_->metadata, "title", audio.title.c_str(), 0);
        }
    }

    void complete(AVPacket& /*packet*/) const override {}

    bool send_next() override {
        if (position_ >= end_) {
            return false;
        }
        const int whole = context_->frame_size > 0 ? context_->frame_size : 1024;
        const av::Frame frame = av::make_frame();
        frame->format = context_->sample_fmt;
        frame->sample_rate = context_->sample_rate;
        frame->nb_samples = static_cast<int>(std::min<std::int64_t>(whole, end_ - position_));
        check(av_channel_layout_copy(&frame->ch_layout, &context_->ch_layout), "a layout");
        check(av_frame_get_buffer(frame.get(), 0), "a frame");
        fill(*frame);
        frame->pts = position_;
        position_ += frame->nb_samples;
        check(avcodec_send_frame(context_.get(), frame.get()), "encoding");
        return true;
    }

private:
    void fill(AVFrame& frame) const {
        const auto format = static_cast<AVSampleFormat>(frame.format);
        const bool planar = av_sample_fmt_is_planar(format) != 0;
        const int channels = frame.ch_layout.nb_channels;
        for (int i = 0; i < frame.nb_samples; ++i) {
            for (int channel = 0; channel < channels; ++channel) {
                const double time = static_cast<double>(position_ + i) / frame.sample_rate;
                const double value =
                    0.4 * std::sin(6.2831853 * (440 + 110 * channel + 60 * std::floor(time * 4)) * time);
                std::uint8_t* data = frame.extended_data[planar ? channel : 0];
                store(data, format, planar ? i : i * channels + channel, value);
            }
        }
    }

    static void store(std::uint8_t* data, AVSampleFormat format, int index, double value) {
        switch (av_get_packed_sample_fmt(format)) {
            case AV_SAMPLE_FMT_FLT:
                reinterpret_cast<float*>(data)[index] = static_cast<float>(value);
                break;
            case AV_SAMPLE_FMT_S16:
                reinterpret_cast<std::int16_t*>(data)[index] = static_cast<std::int16_t>(value * 32767);
                break;
            case AV_SAMPLE_FMT_S32:
                reinterpret_cast<std::int32_t*>(data)[index] = static_cast<std::int32_t>(value * 2147483647);
                break;
            default:
                throw std::runtime_error("sample format");
        }
    }

    std::int64_t position_ = 0;
    std::int64_t end_ = 0;
};

}   // namespace

void write_file(const std::filesystem::path& path, const std::string& container, const SyntheticFile& file) {
    quiet_ffmpeg();
    AVFormatContext* allocated = nullptr;
    check(avformat_alloc_output_context2(&allocated, nullptr, container.c_str(), nullptr), "the muxer");
    const av::OutputContext muxer(allocated);
    muxer->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    muxer->max_interleave_delta = 0;
    std::vector<std::unique_ptr<Track>> tracks;
    for (const SyntheticVideo& video : file.videos) {
        const auto shift = std::llround(file.shift_s / av_q2d(video.time_base));
        tracks.push_back(std::make_unique<VideoTrack>(*muxer, video, shift));
        tracks.back()->stream().disposition = file.cover_art ? AV_DISPOSITION_ATTACHED_PIC : AV_DISPOSITION_DEFAULT;
    }
    for (const SyntheticAudio& audio : file.audios) {
        tracks.push_back(std::make_unique<AudioTrack>(*muxer, audio, file.shift_s));
    }
    std::vector<av::Packet> packets;
    for (const auto& track : tracks) {
        while (track->send_next()) {
            track->collect(packets);
        }
        track->drain();
        track->collect(packets);
    }
    std::stable_sort(packets.begin(), packets.end(), [](const av::Packet& a, const av::Packet& b) {
        return av_compare_ts(a->dts, a->time_base, b->dts, b->time_base) < 0;
    });
    AVIOContext* io = nullptr;
    check(avio_open2(&io, ("file:" + path.string()).c_str(), AVIO_FLAG_WRITE, nullptr, nullptr), "the file");
    const av::Io owner(io);
    muxer->pb = io;
    muxer->url = av_strdup(("file:" + path.string()).c_str());   // faststart reads it again
    av::Dictionary options;
    for (const auto& [name, value] : file.muxer_settings) {
        options.set(name.c_str(), value);
    }
    check(avformat_write_header(muxer.get(), options.address()), "the header");
    for (const av::Packet& packet : packets) {
        av_packet_rescale_ts(packet.get(), packet->time_base, muxer->streams[packet->stream_index]->time_base);
        check(av_write_frame(muxer.get(), packet.get()), "a packet");
    }
    check(av_write_trailer(muxer.get()), "the trailer");
}

std::vector<std::int64_t> constant_rate(int frames, std::int64_t step) {
    std::vector<std::int64_t> pts;
    for (int i = 0; i < frames; ++i) {
        pts.push_back(i * step);
    }
    return pts;
}

std::vector<std::int64_t> variable_rate(int frames, std::int64_t step) {
    const std::int64_t steps[] = {step, 2 * step, step, 3 * step, std::max<std::int64_t>(step * 2 / 5, 1), step};
    std::vector<std::int64_t> pts;
    std::int64_t now = 0;
    for (int i = 0; i < frames; ++i) {
        pts.push_back(now);
        now += steps[i % 6];
    }
    return pts;
}

Settings with_b_frames() {
    return {{"preset", "veryfast"}, {"crf", "20"}, {"bf", "3"}, {"x264-params", "b-pyramid=normal:b-adapt=0"}};
}

void draw(AVFrame& frame, int n) {
    const AVPixFmtDescriptor& description = *av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    std::vector<std::uint16_t> line(static_cast<std::size_t>(frame.width));
    const int box = 8 + (n * 5) % std::max(frame.width - 16, 1);
    for (int c = 0; c < description.nb_components; ++c) {
        const bool chroma = (c == 1 || c == 2) && (description.flags & AV_PIX_FMT_FLAG_RGB) == 0;
        const int width = chroma ? AV_CEIL_RSHIFT(frame.width, description.log2_chroma_w) : frame.width;
        const int height = chroma ? AV_CEIL_RSHIFT(frame.height, description.log2_chroma_h) : frame.height;
        const int full = (1 << description.comp[c].depth) - 1;
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                const int luma_x = chroma ? x << description.log2_chroma_w : x;
                const bool inside = luma_x >= box && luma_x < box + 8;
                const int eighth = (x * 3 + y * 2 + n * 7 + c * 40) % 160 + 40 + (inside && c == 0 ? 40 : 0);
                line[static_cast<std::size_t>(x)] = static_cast<std::uint16_t>(eighth * full / 255);
            }
            av_write_image_line(line.data(), frame.data, frame.linesize, &description, 0, y, c, width);
        }
    }
}

std::vector<StreamContent> read_file(const std::filesystem::path& path) {
    quiet_ffmpeg();
    AVFormatContext* opened = nullptr;
    check(avformat_open_input(&opened, ("file:" + path.string()).c_str(), nullptr, nullptr), "reading");
    const av::InputContext input(opened);
    check(avformat_find_stream_info(input.get(), nullptr), "reading");
    std::vector<StreamContent> streams;
    for (unsigned i = 0; i < input->nb_streams; ++i) {
        const AVStream& stream = *input->streams[i];
        const auto metadata = [&](const char* key) {
            const AVDictionaryEntry* entry = av_dict_get(stream.metadata, key, nullptr, 0);
            return std::string(entry == nullptr ? "" : entry->value);
        };
        StreamContent content;
        content.type = stream.codecpar->codec_type;
        content.codec = stream.codecpar->codec_id;
        content.tag = stream.codecpar->codec_tag;
        content.time_base = stream.time_base;
        content.matrix = stream.codecpar->color_space;
        content.primaries = stream.codecpar->color_primaries;
        content.transfer = stream.codecpar->color_trc;
        content.range = stream.codecpar->color_range;
        content.sample_aspect = stream.codecpar->sample_aspect_ratio;
        content.duration_s = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
        content.disposition = stream.disposition;
        content.language = metadata("language");
        content.title = metadata("title");
        streams.push_back(content);
    }
    const av::Packet packet = av::make_packet();
    while (av_read_frame(input.get(), packet.get()) >= 0) {
        const auto size = static_cast<std::size_t>(packet->size);
        streams[static_cast<std::size_t>(packet->stream_index)].packets.push_back(
            {packet->pts, packet->dts, packet->duration, (packet->flags & AV_PKT_FLAG_KEY) != 0,
             hash(packet->data, size)});
        av_packet_unref(packet.get());
    }
    return streams;
}

const StreamContent& first(const std::vector<StreamContent>& streams, AVMediaType type) {
    for (const StreamContent& stream : streams) {
        if (stream.type == type) {
            return stream;
        }
    }
    throw std::out_of_range("no such stream");
}

std::vector<double> sorted_times(const StreamContent& stream) {
    std::vector<double> times;
    for (const PacketInfo& packet : stream.packets) {
        times.push_back(static_cast<double>(packet.pts) * av_q2d(stream.time_base));
    }
    std::sort(times.begin(), times.end());
    return times;
}

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
std::uint64_t hash(const std::uint8_t* data, std::size_t size, std::uint64_t start) {
    std::uint64_t value = start;
    for (std::size_t i = 0; i < size; ++i) {
        value = (value ^ data[i]) * 1099511628211ULL;
    }
    return value;
}

std::uint64_t hash(const Picture& picture) {
    std::uint64_t value = hash(nullptr, 0);
    for (int plane = 0; plane < picture.format.planes(); ++plane) {
        const Plane& from = picture.planes[static_cast<std::size_t>(plane)];
        const auto bytes = static_cast<std::size_t>(picture.format.plane_width(plane, picture.width)) *
                           static_cast<std::size_t>(picture.format.bytes_per_sample());
        for (int y = 0; y < picture.format.plane_height(plane, picture.height); ++y) {
            value = hash(reinterpret_cast<const std::uint8_t*>(from.data + y * from.stride), bytes, value);
        }
    }
    return value;
}

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}   // namespace millstream::testing
