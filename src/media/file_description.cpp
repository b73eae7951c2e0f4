#include "media/file_description.h"

extern "C" {
#include <libavutil/display.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/murmur3.h>
}

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "media/av.h"
#include "media/demuxer.h"
#include "media/frame_decoder.h"

namespace millstream {
namespace {

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text;
}

Tags tags_of(const AVDictionary* dictionary) {
    Tags tags;
    const AVDictionaryEntry* entry = nullptr;
    while ((entry = av_dict_get(dictionary, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
        tags[lower_case(entry->key)] = entry->value;
    }
    return tags;
}

std::string value_or_empty(const Tags& tags, const char* key) {
    const auto found = tags.find(key);
    return found == tags.end() ? "" : found->second;
}

std::set<std::string> dispositions_of(int bits) {
    std::set<std::string> names;
    for (unsigned bit = 1; bit != 0; bit <<= 1U) {
        if ((static_cast<unsigned>(bits) & bit) != 0) {
            const char* name = av_disposition_to_string(static_cast<int>(bit));
            names.insert(name == nullptr ? "disposition " + std::to_string(bit) : name);
        }
    }
    return names;
}

AttachmentDescription attachment_of(const AVCodecParameters& parameters, const Tags& tags) {
    const auto size = static_cast<std::size_t>(std::max(parameters.extradata_size, 0));
    return {value_or_empty(tags, "filename"), value_or_empty(tags, "mimetype"), size,
            hash_of(parameters.extradata, size)};
}

StreamDescription describe_stream(const AVStream& stream, const StreamInfo& info) {
    StreamDescription description;
    description.info = info;
    description.tags = tags_of(stream.metadata);
    description.dispositions = dispositions_of(stream.disposition);
    const AVCodecDescriptor* codec = avcodec_descriptor_get(stream.codecpar->codec_id);
    description.text = codec != nullptr && (codec->props & AV_CODEC_PROP_TEXT_SUB) != 0;
    if (info.kind == StreamKind::attachment) {
        description.attachment = attachment_of(*stream.codecpar, description.tags);
    }
    return description;
}

std::vector<ChapterDescription> chapters_of(const AVFormatContext& file) {
    std::vector<ChapterDescription> chapters;
    for (unsigned i = 0; i < file.nb_chapters; ++i) {
        const AVChapter& chapter = *file.chapters[i];
        const double tick = av_q2d(chapter.time_base);
        chapters.push_back({static_cast<double>(chapter.start) * tick, static_cast<double>(chapter.end) * tick,
                            tags_of(chapter.metadata)});
    }
    return chapters;
}

struct Bytes {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
};

// Of the stream, where the whole file has it, else of the frame.
Bytes side_data(const AVStream& stream, const AVFrame& frame, AVPacketSideDataType in_stream,
                AVFrameSideDataType in_frame) {
    Bytes of_stream;
    of_stream.data = av::side_data(stream, in_stream, of_stream.size);
    const AVFrameSideData* of_frame = av_frame_get_side_data(&frame, in_frame);
    if (of_stream.data != nullptr || of_frame == nullptr) {
        return of_stream;
    }
    return {of_frame->data, of_frame->size};
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
    std::array<char, 200> text{};
    std::snprintf(text.data(), text.size(), pattern, values...);
    return text.data();
}

SideDataDescription describe_matrix(const Bytes& bytes) {
    std::array<std::int32_t, 9> matrix{};
    std::memcpy(matrix.data(), bytes.data, std::min(bytes.size, sizeof matrix));
    SideDataDescription description{"display matrix", {matrix.begin(), matrix.end()}, ""};
    const double degrees = av_display_rotation_get(matrix.data());
    const bool flipped = double{1.0 * matrix[0]} * matrix[4] - double{1.0 * matrix[1]} * matrix[3] < 0;
    description.words =
        format("rotated by %.4g degrees", std::isnan(degrees) ? 0.0 : degrees) + (flipped ? ", mirrored" : "");
    if (matrix[6] != 0 || matrix[7] != 0) {
        description.words += format(", moved by %.4g,%.4g", matrix[6] / 65536.0, matrix[7] / 65536.0);
    }
    return description;
}

SideDataDescription describe_mastering(const AVMasteringDisplayMetadata& display) {
    SideDataDescription description{"mastering display", {}, ""};
    std::vector<double>& values = description.values;
    for (const auto& primary : display.display_primaries) {
        values.push_back(av_q2d(primary[0]));
        values.push_back(av_q2d(primary[1]));
    }
    values.push_back(av_q2d(display.white_point[0]));
    values.push_back(av_q2d(display.white_point[1]));
    values.push_back(av_q2d(display.min_luminance));
    values.push_back(av_q2d(display.max_luminance));
    description.words =
        format("R(%.4f,%.4f) G(%.4f,%.4f) B(%.4f,%.4f) white(%.4f,%.4f) %.4f..%.4f cd/m2", values[0], values[1],
               values[2], values[3], values[4], values[5], values[6], values[7], values[8], values[9]);
    return description;
}

std::vector<SideDataDescription> describe_side_data(const AVStream& stream, const AVFrame& frame) {
    std::vector<SideDataDescription> all;
    const Bytes matrix = side_data(stream, frame, AV_PKT_DATA_DISPLAYMATRIX, AV_FRAME_DATA_DISPLAYMATRIX);
    if (matrix.data != nullptr) {
        all.push_back(describe_matrix(matrix));
    }
    const Bytes mastering =
        side_data(stream, frame, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    if (mastering.data != nullptr) {
        const auto& display = *reinterpret_cast<const AVMasteringDisplayMetadata*>(mastering.data);
        if (display.has_primaries != 0 && display.has_luminance != 0) {   // a PNG's primaries alone are no display
            all.push_back(describe_mastering(display));
        }
    }
    const Bytes light = side_data(stream, frame, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    if (light.data != nullptr) {
        const auto& level = *reinterpret_cast<const AVContentLightMetadata*>(light.data);
        all.push_back({"content light level",
                       {static_cast<double>(level.MaxCLL), static_cast<double>(level.MaxFALL)},
                       format("MaxCLL %u, MaxFALL %u", level.MaxCLL, level.MaxFALL)});
    }
    return all;
}

}   // namespace

std::string hash_of(const std::uint8_t* bytes, std::size_t size) {
    struct Free {
        void operator()(AVMurMur3* state) const noexcept { av_free(state); }
    };
    const std::unique_ptr<AVMurMur3, Free> state(av_murmur3_alloc());
    if (!state) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), "hashing", "");
    }
    std::array<std::uint8_t, 16> hash{};
    av_murmur3_init(state.get());
    if (size > 0) {
        av_murmur3_update(state.get(), bytes, size);
    }
    av_murmur3_final(state.get(), hash.data());
    std::string text;
    for (const std::uint8_t byte : hash) {
        text += format("%02x", byte);
    }
    return text;
}

FileDescription describe_contents(const SourceInfo& source) {
    Demuxer demuxer(source);
    const AVFormatContext& file = demuxer.context();
    FileDescription description;
    description.tags = tags_of(file.metadata);
    description.chapters = chapters_of(file);
    const auto streams = std::min(source.streams.size(), static_cast<std::size_t>(demuxer.streams()));
    for (std::size_t i = 0; i < streams; ++i) {
        description.streams.push_back(describe_stream(*file.streams[i], source.streams[i]));
    }
    std::string complaint;
    const av::Frame frame = first_frame(demuxer, source.video_stream, complaint);
    if (!frame) {
        throw Error(ErrorKind::input, {"looking at the first frame", demuxer.name(),
                                       "it cannot be decoded: " + complaint, "The file is damaged or cut off"});
    }
    description.video_side_data = describe_side_data(demuxer.stream(source.video_stream), *frame);
    return description;
}

}   // namespace millstream
