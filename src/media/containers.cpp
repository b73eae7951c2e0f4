// What the output containers are called and what they hold.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "media/av.h"
#include "media/encoding.h"

namespace millstream {
namespace {

struct Container {
    std::string_view extension;
    std::string_view muxer;
};

constexpr std::array<Container, 5> kContainers{
    {{".mp4", "mp4"}, {".m4v", "mp4"}, {".mov", "mov"}, {".mkv", "matroska"}, {".webm", "webm"}}};

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return text;
}

// FFmpeg's MOV muxer lists these by their tag and then says "only supported in MP4".
bool is_mp4_but_not_mov(AVCodecID codec) {
    return codec == AV_CODEC_ID_FLAC || codec == AV_CODEC_ID_OPUS || codec == AV_CODEC_ID_TRUEHD ||
           codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_AV1;
}

bool holds(const std::string& container, AVCodecID codec) {
    const AVOutputFormat* format = av_guess_format(container.c_str(), nullptr, nullptr);
    const bool refused = (container == "mov" && is_mp4_but_not_mov(codec)) ||
                         (container != "matroska" && container != "webm" && codec == AV_CODEC_ID_VP8);
    return format != nullptr && !refused && avformat_query_codec(format, codec, FF_COMPLIANCE_EXPERIMENTAL) == 1;
}

}   // namespace

std::string container_for(const std::filesystem::path& output) {
    const std::string extension = lower_case(output.extension().string());
    std::string known;
    for (const Container& container : kContainers) {
        if (container.extension == extension) {
            return std::string(container.muxer);
        }
        known += (known.empty() ? "" : ", ") + std::string(container.extension);
    }
    throw Error(ErrorKind::usage, {"choosing the container", output.string(),
                                   extension.empty() ? "the name has no extension"
                                                     : "'" + extension + "' is no container that is written",
                                   "Use one of " + known});
}

std::string extension_of(std::string_view muxer) {
    const auto* found = std::find_if(kContainers.begin(), kContainers.end(),
                                     [&](const Container& container) { return container.muxer == muxer; });
    return found == kContainers.end() ? std::string(muxer) : std::string(found->extension);
}

// Matroska's projection element is written by FFmpeg 6.1 and later.
bool holds_rotation(const std::string& container) {
    return container == "mp4" || container == "mov" || LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 11, 100);
}

std::string cannot_hold(const std::string& container, const StreamInfo& stream) {
    const AVCodecDescriptor* codec = avcodec_descriptor_get_by_name(stream.codec.c_str());
    const std::string extension = extension_of(container);
    if (codec == nullptr) {
        return "its codec is unknown";
    }
    if (holds(container, codec->id)) {
        return "";
    }
    std::string where;
    for (const char* other : {"mp4", "mov", "matroska", "webm"}) {
        if (holds(other, codec->id)) {
            where += (where.empty() ? "" : ", ") + extension_of(other);
        }
    }
    return extension + " cannot hold " + stream.codec +
           (where.empty() ? std::string(", and no other container written here can") : "; use " + where);
}

}   // namespace millstream
