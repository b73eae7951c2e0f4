#include "media/output_tracks.h"

extern "C" {
#include <libavutil/avstring.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "media/side_data.h"

namespace millstream {
namespace {

constexpr const char* kCreating = "creating the output";

bool is_constant_rate(const VideoStreamInfo& video) {
    const double nominal = video.nominal_rate.value();
    const double average = video.average_rate.value();
    return nominal > 0 && average > 0 && std::abs(nominal / average - 1) < 0.01;
}

void set_tag(AVStream& stream, const char* key, const std::string& value) {
    if (!value.empty()) {
        av_dict_set(&stream.metadata, key, value.c_str(), 0);
    }
}

// What a Matroska writer has counted of the packets, which encoder made them and whether they hold alpha (the muxer
// says that of its own): no longer true.
bool describes_packets(std::string_view key) {
    constexpr std::array<std::string_view, 7> kCounted{
        "BPS", "DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "_STATISTICS_", "ENCODER", "ALPHA_MODE"};
    return std::any_of(kCounted.begin(), kCounted.end(), [&](std::string_view counted) {
        return key.size() >= counted.size() && av_strncasecmp(key.data(), counted.data(), counted.size()) == 0;
    });
}

void copy_metadata(const AVDictionary* from, AVDictionary** to, bool (*left_out)(std::string_view)) {
    for (const AVDictionaryEntry* tag = nullptr;
         (tag = av_dict_get(from, "", tag, AV_DICT_IGNORE_SUFFIX)) != nullptr;) {
        if (!left_out(tag->key)) {
            av_dict_set(to, tag->key, tag->value, 0);
        }
    }
}

// The muxer writes its own.
bool is_duration(std::string_view key) {
    return key.starts_with("DURATION");
}

bool describes_container(std::string_view key) {
    constexpr std::array<std::string_view, 4> kKeys{"major_brand", "minor_version", "compatible_brands", "encoder"};
    return std::any_of(kKeys.begin(), kKeys.end(), [&](std::string_view known) {
        return key.size() == known.size() && av_strncasecmp(key.data(), known.data(), key.size()) == 0;
    });
}

// Side data of the picture as such; anything else would describe the source's packets.
constexpr std::array<AVPacketSideDataType, 2> kOfThePicture{AV_PKT_DATA_SPHERICAL, AV_PKT_DATA_STEREO3D};

// Frames a second in samples of a track: an audio track counts in samples, others as the source does.
int timescale_of(const AVStream& stream) {
    const int rate = stream.codecpar->sample_rate;
    return rate > 0 ? rate : stream.time_base.den;
}

// matroskaenc stores CodecDelay for Opus and leaves the time stamps to its caller; matroskadec subtracts it.
std::int64_t codec_delay_ms(const AVCodecParameters& parameters) {
    return parameters.codec_id == AV_CODEC_ID_OPUS ? av_rescale(parameters.initial_padding, 1000, 48000) : 0;
}

const char* cover_mime_type(AVCodecID codec) {
    switch (codec) {
        case AV_CODEC_ID_PNG:
            return "image/png";
        case AV_CODEC_ID_BMP:
            return "image/bmp";
        case AV_CODEC_ID_GIF:
            return "image/gif";
        case AV_CODEC_ID_TIFF:
            return "image/tiff";
        case AV_CODEC_ID_WEBP:
            return "image/webp";
        default:
            return "image/jpeg";
    }
}

std::string cover_file_name(AVCodecID codec) {
    const std::string_view mime_type = cover_mime_type(codec);
    const std::string_view kind = mime_type.substr(mime_type.find('/') + 1);
    return "cover." + (kind == "jpeg" ? std::string("jpg") : std::string(kind));
}

void add_video(Muxer& muxer, const VideoEncoder& encoder, const HdrMetadata& hdr, const StreamInfo& video,
               const AVStream& source) {
    AVStream& stream = muxer.add_stream();
    const AVCodecContext& context = encoder.context();
    av::check(avcodec_parameters_from_context(stream.codecpar, &context), ErrorKind::resource, kCreating, "");
    if (context.codec_id == AV_CODEC_ID_HEVC && muxer.is_mov()) {
        stream.codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');   // what Apple's players ask for
    }
    stream.time_base = av::to_av(video.time_base);
    stream.sample_aspect_ratio = context.sample_aspect_ratio;
    if (is_constant_rate(*video.video)) {
        stream.avg_frame_rate = context.framerate;
    }
    stream.disposition = source.disposition;
    for (const AVPacketSideDataType type : kOfThePicture) {
        av::copy_side_data(source, stream, type);
    }
    if (!video.video->turned) {
        copy_display_matrix(source, stream);
    }
    set_side_data(stream, hdr);
    copy_metadata(source.metadata, &stream.metadata, describes_packets);
}

void add_copy(Muxer& muxer, const StreamCopy& copy, std::size_t track) {
    AVStream& stream = muxer.add_stream();
    const AVStream& source = copy.source_stream(track);
    copy.copy_parameters(track, stream);
    stream.disposition = source.disposition;
    stream.sample_aspect_ratio = source.sample_aspect_ratio;
    if (source.codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
        stream.avg_frame_rate = source.avg_frame_rate;
    }
    av::copy_all_side_data(source, stream);
    copy_metadata(source.metadata, &stream.metadata, is_duration);
}

// The one packet follows behind the header.
void add_cover(Muxer& muxer, const AVStream& source) {
    AVStream& stream = muxer.add_stream();
    av::check(avcodec_parameters_copy(stream.codecpar, source.codecpar), ErrorKind::resource, kCreating, "");
    stream.codecpar->codec_tag = 0;
    stream.time_base = source.time_base;
    stream.disposition = AV_DISPOSITION_ATTACHED_PIC;   // and nothing else: the muxer asks for exactly that
    copy_metadata(source.metadata, &stream.metadata, is_duration);
}

// An attachment's content is its "extradata". Cover art is made an attachment again, which readers show as one.
void add_attachment(Muxer& muxer, const AVStream& source) {
    AVStream& stream = muxer.add_stream();
    AVCodecParameters& parameters = *stream.codecpar;
    const bool cover = source.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    const AVCodecID codec = source.codecpar->codec_id;
    const std::uint8_t* content = cover ? source.attached_pic.data : source.codecpar->extradata;
    const int size = cover ? source.attached_pic.size : source.codecpar->extradata_size;
    parameters.codec_type = AVMEDIA_TYPE_ATTACHMENT;
    parameters.codec_id = codec;
    parameters.extradata =
        static_cast<std::uint8_t*>(av_mallocz(static_cast<std::size_t>(size) + AV_INPUT_BUFFER_PADDING_SIZE));
    if (parameters.extradata == nullptr) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kCreating, "");
    }
    if (size > 0) {
        std::memcpy(parameters.extradata, content, static_cast<std::size_t>(size));
    }
    parameters.extradata_size = size;
    copy_metadata(source.metadata, &stream.metadata, is_duration);
    const auto set_if_absent = [&](const char* key, const std::string& value) {
        av_dict_set(&stream.metadata, key, value.c_str(), AV_DICT_DONT_OVERWRITE);
    };
    set_if_absent("filename", cover ? cover_file_name(codec) : "attachment_" + std::to_string(source.index));
    set_if_absent("mimetype", cover ? cover_mime_type(codec) : "application/octet-stream");
}

const CarriedStream* find(const std::vector<CarriedStream>& carried, int index) {
    const auto found = std::find_if(carried.begin(), carried.end(),
                                    [&](const CarriedStream& stream) { return stream.index == index; });
    return found == carried.end() ? nullptr : &*found;
}

class TrackBuilder {
public:
    TrackBuilder(Muxer& muxer, TimeLine& time_line, const StreamCopy& copy)
        : muxer_(muxer), time_line_(time_line), copy_(copy) {}

    void video(const VideoEncoder& encoder, const HdrMetadata& hdr, const StreamInfo& info) {
        result.video = next_++;
        add_video(muxer_, encoder, hdr, info, source(info.index));
        time_line_.add_track({av::to_av(info.time_base), static_cast<int>(info.time_base.den), info.start_pts});
    }

    void carry(const CarriedStream& stream) {
        const AVStream& from = source(stream.index);
        if (stream.how == Carriage::copy || stream.how == Carriage::convert) {
            const std::size_t track = result.copied.size();
            add_copy(muxer_, copy_, track);
            const AVMediaType type = from.codecpar->codec_type;
            const bool timed = type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO;
            result.videos += type == AVMEDIA_TYPE_VIDEO ? 1 : 0;
            time_line_.add_track({from.time_base, timescale_of(from),
                                  timed ? std::optional(copy_.first_pts(track).value_or(0)) : std::nullopt,
                                  codec_delay_ms(*from.codecpar)});
            result.copied.push_back(next_++);
        } else if (stream.how == Carriage::cover) {
            add_cover(muxer_, from);
            time_line_.add_track({from.time_base, 1, std::nullopt});
            result.covers.push_back(next_++);
            result.cover_sources.push_back(stream.index);
        }
    }

    void attach(const CarriedStream& stream) {
        add_attachment(muxer_, source(stream.index));
        time_line_.add_track({{1, 1}, 1, std::nullopt});
        ++next_;
    }

    // The muxer makes a timecode track, or a tag, of it.
    void timecode(const CarriedStream& stream) {
        const AVDictionaryEntry* first = av_dict_get(source(stream.index).metadata, "timecode", nullptr, 0);
        if (first != nullptr) {
            set_tag(muxer_.stream(result.video), "timecode", first->value);
        }
    }

    OutputTracks result;

private:
    [[nodiscard]] const AVStream& source(int index) const { return copy_.demuxer().stream(index); }

    Muxer& muxer_;
    TimeLine& time_line_;
    const StreamCopy& copy_;
    int next_ = 0;
};

}   // namespace

OutputTracks add_tracks(Muxer& muxer, TimeLine& time_line, const VideoEncoder& encoder, const HdrMetadata& hdr,
                        const StreamCopy& copy, const StreamInfo& video, const std::vector<CarriedStream>& carried) {
    TrackBuilder builder(muxer, time_line, copy);
    for (int index = 0; index < copy.demuxer().streams(); ++index) {
        const CarriedStream* stream = find(carried, index);
        if (index == video.index) {
            builder.video(encoder, hdr, video);
        } else if (stream != nullptr) {
            builder.carry(*stream);
        }
    }
    for (const CarriedStream& stream : carried) {
        if (stream.how == Carriage::attach) {
            builder.attach(stream);
        } else if (stream.how == Carriage::metadata) {
            builder.timecode(stream);
        }
    }
    return builder.result;
}

void add_chapters(Muxer& muxer, const AVFormatContext& source, std::int64_t shift_us) {
    for (unsigned i = 0; i < source.nb_chapters; ++i) {
        const AVChapter& from = *source.chapters[i];
        const std::int64_t shift = av_rescale_q(shift_us, AV_TIME_BASE_Q, from.time_base);
        AVChapter& to = muxer.add_chapter();
        to.id = from.id;
        to.time_base = from.time_base;
        to.start = std::max<std::int64_t>(from.start - shift, 0);
        to.end = std::max(from.end - shift, to.start);
        av_dict_copy(&to.metadata, from.metadata, 0);
    }
}

// Note [Metadata keys]
// An MP4 holds a fixed set of keys, a MOV as well, unless it is written with QuickTime's list of free keys ("mdta"),
// which is done where the source has any; Matroska takes every key.
void add_metadata(Muxer& muxer, const AVFormatContext& source) {
    copy_metadata(source.metadata, muxer.metadata(), describes_container);
}

}   // namespace millstream
