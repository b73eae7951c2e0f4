#include "media/probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "media/av.h"
#include "media/colour_tags.h"
#include "media/demuxer.h"
#include "media/frame_decoder.h"
#include "media/pixel_formats.h"
#include "media/side_data.h"
#include "media/time_limits.h"
#include "media/turn.h"

namespace millstream {
namespace {

constexpr const char* kLooking = "looking at the input";

// How far the first frame is looked for: an MPEG-TS may begin seconds before its first key frame.

StreamKind kind_of(AVMediaType type) {
    switch (type) {
        case AVMEDIA_TYPE_VIDEO:
            return StreamKind::video;
        case AVMEDIA_TYPE_AUDIO:
            return StreamKind::audio;
        case AVMEDIA_TYPE_SUBTITLE:
            return StreamKind::subtitle;
        case AVMEDIA_TYPE_ATTACHMENT:
            return StreamKind::attachment;
        default:
            return StreamKind::data;
    }
}

std::string metadata(const AVDictionary* dictionary, const char* key) {
    const AVDictionaryEntry* entry = av_dict_get(dictionary, key, nullptr, 0);
    return entry == nullptr ? "" : entry->value;
}

bool is_cover_art(const AVStream& stream) {
    return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

double seconds(std::int64_t ticks, AVRational time_base) {
    return ticks <= 0 || !is_sane_time(ticks, time_base) ? 0.0 : static_cast<double>(ticks) * av_q2d(time_base);
}

std::int64_t expected_frames(const AVStream& stream, double duration_s) {
    if (stream.nb_frames > 0) {
        return stream.nb_frames <= kMostFrames ? stream.nb_frames : 0;
    }
    const double frames = stream.avg_frame_rate.num <= 0 ? 0 : duration_s * av_q2d(stream.avg_frame_rate);
    return frames <= static_cast<double>(kMostFrames) ? std::llround(frames) : 0;
}

VideoStreamInfo describe_video(AVFormatContext& file, AVStream& stream, double duration_s) {
    const AVCodecParameters& parameters = *stream.codecpar;
    VideoStreamInfo video;
    video.width = parameters.width;
    video.height = parameters.height;
    const auto format = static_cast<AVPixelFormat>(parameters.format);
    if (const char* name = av_get_pix_fmt_name(format)) {
        video.pixel_format_name = name;
    }
    video.format = planar_equivalent(format).value_or(PixelFormat{});
    video.colour = colour_of(parameters);
    video.sample_aspect = av::from_av(av_guess_sample_aspect_ratio(&file, &stream, nullptr));
    video.average_rate = av::from_av(stream.avg_frame_rate);
    video.nominal_rate = av::from_av(stream.r_frame_rate);
    video.frames = expected_frames(stream, duration_s);
    video.cover_art = is_cover_art(stream);
    return video;
}

std::vector<std::string> roles_of(const AVStream& stream) {
    constexpr std::array<std::pair<int, const char*>, 7> kRoles{{{AV_DISPOSITION_DUB, "dub"},
                                                                 {AV_DISPOSITION_ORIGINAL, "original"},
                                                                 {AV_DISPOSITION_COMMENT, "comment"},
                                                                 {AV_DISPOSITION_HEARING_IMPAIRED, "hearing_impaired"},
                                                                 {AV_DISPOSITION_VISUAL_IMPAIRED, "visual_impaired"},
                                                                 {AV_DISPOSITION_CAPTIONS, "captions"},
                                                                 {AV_DISPOSITION_DESCRIPTIONS, "descriptions"}}};
    std::vector<std::string> roles;
    for (const auto& [flag, name] : kRoles) {
        if ((stream.disposition & flag) != 0) {
            roles.emplace_back(name);
        }
    }
    return roles;
}

StreamInfo describe_stream(AVFormatContext& file, AVStream& stream) {
    const AVCodecParameters& parameters = *stream.codecpar;
    StreamInfo info;
    info.index = stream.index;
    info.kind = kind_of(parameters.codec_type);
    info.codec = parameters.codec_id == AV_CODEC_ID_NONE ? "unknown" : avcodec_get_name(parameters.codec_id);
    info.language = metadata(stream.metadata, "language");
    info.title = metadata(stream.metadata, "title");
    info.time_base = av::from_av(stream.time_base);
    info.start_pts = is_sane_time(stream.start_time, stream.time_base) ? stream.start_time : 0;
    info.duration_s = seconds(stream.duration, stream.time_base);
    info.bit_rate = parameters.bit_rate;
    info.roles = roles_of(stream);
    info.codec_tag = parameters.codec_tag;
    info.bytes = static_cast<std::uint64_t>(std::max(stream.attached_pic.size, 0));
    info.file_name = metadata(stream.metadata, "filename");
    info.timecode = metadata(stream.metadata, "timecode");
    // The MOV demuxer takes the titles out of it and switches it off.
    info.chapter_titles = info.kind == StreamKind::data && parameters.codec_id == AV_CODEC_ID_BIN_DATA &&
                          stream.discard == AVDISCARD_ALL && file.nb_chapters > 0;
    if (info.kind == StreamKind::audio) {
        info.channels = parameters.ch_layout.nb_channels;
        info.sample_rate = parameters.sample_rate;
    }
    if (info.kind == StreamKind::video) {
        const double container_s = seconds(file.duration, AV_TIME_BASE_Q);
        if (info.duration_s <= 0 && !is_cover_art(stream)) {
            info.duration_s = container_s;
        }
        info.video = describe_video(file, stream, info.duration_s);
    }
    return info;
}

SourceInfo describe_file(const Demuxer& demuxer) {
    AVFormatContext& file = demuxer.context();
    SourceInfo source;
    source.path = demuxer.name();
    source.limits = demuxer.limits();
    source.container = file.iformat->name;
    source.bytes = demuxer.bytes();
    source.start_s =
        is_sane_time(file.start_time, AV_TIME_BASE_Q) ? static_cast<double>(file.start_time) / AV_TIME_BASE : 0;
    source.duration_s = seconds(file.duration, AV_TIME_BASE_Q);
    for (unsigned i = 0; i < file.nb_streams; ++i) {
        source.streams.push_back(describe_stream(file, *file.streams[i]));
    }
    source.chapters = static_cast<int>(file.nb_chapters);
    for (const AVDictionaryEntry* tag = nullptr;
         (tag = av_dict_get(file.metadata, "", tag, AV_DICT_IGNORE_SUFFIX)) != nullptr;) {
        source.tags.emplace_back(tag->key);
    }
    return source;
}

std::string list_streams(const SourceInfo& source) {
    std::string text;
    for (const StreamInfo& stream : source.streams) {
        text += (text.empty() ? "" : ", ") + std::to_string(stream.index) + " " + to_string(stream.kind) + " " +
                stream.codec + (stream.video && stream.video->cover_art ? " (cover art)" : "");
    }
    return text.empty() ? "none" : text;
}

[[noreturn]] void refuse(const SourceInfo& source, std::string why, std::string hint) {
    throw Error(ErrorKind::input, {kLooking, source.path.string(), std::move(why), std::move(hint)});
}

int choose_stream(const SourceInfo& source, std::optional<int> wanted) {
    const std::string streams = "its streams are: " + list_streams(source);
    if (wanted) {
        const bool exists = *wanted >= 0 && static_cast<std::size_t>(*wanted) < source.streams.size();
        if (!exists) {
            refuse(source, "it has no stream " + std::to_string(*wanted) + "; " + streams,
                   "Choose a video stream of it");
        }
        const StreamInfo& stream = source.streams[static_cast<std::size_t>(*wanted)];
        if (!stream.video || stream.video->cover_art) {
            refuse(source, "stream " + std::to_string(*wanted) + " is no video; " + streams, "Choose a video stream");
        }
        return *wanted;
    }
    bool cover_art = false;
    for (const StreamInfo& stream : source.streams) {
        if (stream.video && !stream.video->cover_art) {
            return stream.index;
        }
        cover_art = cover_art || (stream.video && stream.video->cover_art);
    }
    refuse(source,
           cover_art ? "it is audio with a cover picture, there is no video in it; " + streams
                     : "there is no video stream in it; " + streams,
           "Choose a file with a video");
}

bool is_too_large(const SourceInfo& source, int width, int height) {
    return std::int64_t{width} * height > source.limits.pixels || width > kMaxSide || height > kMaxSide;
}

void check_size(const SourceInfo& source, int width, int height) {
    if (width <= 0 || height <= 0 || is_too_large(source, width, height)) {
        refuse(source,
               "its pictures are " + std::to_string(width) + "x" + std::to_string(height) + "; at most " +
                   std::to_string(source.limits.pixels) + " pixels and " + std::to_string(kMaxSide) +
                   " on a side are taken",
               "The file is damaged, or made to exhaust memory");
    }
}

// Size, format and colour from the frame: the container may be silent or wrong.
void correct_from_frame(SourceInfo& source, const Demuxer& demuxer, const AVFrame& frame) {
    StreamInfo& stream = source.streams[static_cast<std::size_t>(source.video_stream)];
    VideoStreamInfo& video = *stream.video;
    check_size(source, frame.width, frame.height);
    const auto format = static_cast<AVPixelFormat>(frame.format);
    const auto planar = planar_equivalent(format);
    const char* name = av_get_pix_fmt_name(format);
    video.pixel_format_name = name == nullptr ? "unknown" : name;
    if (!planar) {
        refuse(source, "its pixel format '" + video.pixel_format_name + "' cannot be unpacked",
               "Convert the video first");
    }
    video.width = frame.width;
    video.height = frame.height;
    video.format = *planar;
    AVStream& av_stream = demuxer.stream(source.video_stream);
    video.colour = colour_of(frame, *av_stream.codecpar);
    AVFrame shape = frame;
    video.sample_aspect = av::from_av(av_guess_sample_aspect_ratio(&demuxer.context(), &av_stream, &shape));
}

void turn_pictures(VideoStreamInfo& video) {
    if (!video.orientation || video.orientation->is_upright()) {
        return;
    }
    const Orientation& orientation = *video.orientation;
    const Size size = turned(Size{video.width, video.height}, orientation);
    video.width = size.width;
    video.height = size.height;
    video.sample_aspect = turned(video.sample_aspect, orientation);
    video.colour.chroma_location = turned(video.colour.chroma_location, orientation);
    video.format = turned(video.format, orientation);
    video.field_order = FieldOrder::progressive;
    video.turned = true;
}

SourceInfo look_at(Demuxer& demuxer, std::optional<int> video_stream, bool turn) {
    SourceInfo source = describe_file(demuxer);
    source.late = demuxer.late_parameters();
    source.video_stream = choose_stream(source, video_stream);
    std::string complaint;
    const av::Frame frame = first_frame(demuxer, source.video_stream, complaint);
    if (!frame) {
        const VideoStreamInfo& video = *source.video().video;
        if (is_too_large(source, video.width, video.height)) {
            check_size(source, video.width, video.height);
        }
        refuse(source,
               "no frame of stream " + std::to_string(source.video_stream) + " (" + source.video().codec +
                   ") can be decoded" + (complaint.empty() ? "" : ": " + complaint),
               "The file is damaged or cut off");
    }
    correct_from_frame(source, demuxer, *frame);
    VideoStreamInfo& video = *source.streams[static_cast<std::size_t>(source.video_stream)].video;
    describe_side_data(video, demuxer.stream(source.video_stream), *frame);
    if (turn) {
        turn_pictures(video);
    }
    return source;
}

}   // namespace

std::string to_string(StreamKind kind) {
    switch (kind) {
        case StreamKind::video:
            return "video";
        case StreamKind::audio:
            return "audio";
        case StreamKind::subtitle:
            return "subtitle";
        case StreamKind::data:
            return "data";
        case StreamKind::attachment:
            return "attachment";
    }
    return "unknown";
}

SourceInfo probe(const std::filesystem::path& path, std::optional<int> video_stream, bool turn,
                 const InputLimits& limits) {
    Demuxer demuxer(path, limits);
    return look_at(demuxer, video_stream, turn);
}

SourceInfo probe_memory(std::span<const std::byte> bytes, const std::string& name, std::optional<int> video_stream,
                        const InputLimits& limits) {
    Demuxer demuxer(bytes, name, limits);
    SourceInfo source = look_at(demuxer, video_stream, false);
    source.memory = bytes;
    return source;
}

}   // namespace millstream
