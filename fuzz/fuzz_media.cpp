// Any bytes -> container, codec, picture, tensor: at most kFrames frames of at most kLimits, or a refusal.
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <span>
#include <string>

#include "frame/convert.h"
#include "frame/tensor_pool.h"
#include "media/decoder.h"
#include "millstream/error.h"

// FFmpeg's libraries are not instrumented: libFuzzer cannot see that an input got farther in them. What they say of it
// (formats, codecs, complaints) stands in for their coverage; libFuzzer reads the counters of this section.
__attribute__((section("__libfuzzer_extra_counters"))) static std::array<std::uint8_t, 8192> said;   // NOLINT: a sink

namespace millstream {
namespace {

constexpr int kFrames = 8;
constexpr InputLimits kLimits{.pixels = 256 * 256, .streams = 16};

void note(const char* what, const std::string& text) {
    std::string words = what;
    for (const char c : text) {
        if (std::isalpha(static_cast<unsigned char>(c)) != 0) {   // numbers would make every complaint a new one
            words += c;
        }
    }
    said[std::hash<std::string>{}(words) % said.size()] = 1;
}

void note(const SourceInfo& source) {
    note("container", source.container);
    for (const StreamInfo& stream : source.streams) {
        note("codec", source.container + stream.codec);
    }
    const VideoStreamInfo& video = *source.video().video;
    note("picture", describe_format(video.format) + video.pixel_format_name + describe_colour(video.colour));
}

void note(const DecodeStatistics& statistics, const std::string& codec) {
    note("frames", codec + std::string(static_cast<std::size_t>(statistics.frames), 'f'));
    note("damage", codec + (statistics.corrupt_packets > 0 ? "p" : "") + (statistics.concealed_frames > 0 ? "c" : "") +
                       (statistics.repaired_pts > 0 ? "t" : "") + (statistics.resized_frames > 0 ? "s" : "") +
                       (statistics.truncated ? "e" : ""));
}

void decode(std::span<const std::byte> bytes) {
    const SourceInfo source = probe_memory(bytes, "input", {}, kLimits);
    note(source);
    DecoderSettings settings{.threads = 1, .hwaccel = ""};
    if (bytes.size() % 4 == 1) {   // of every fourth input the frames go through the deinterlacer as well
        settings.deinterlacing.rate = DeinterlacedRate::frames;
    }
    VideoDecoder decoder(source, settings);
    const VideoStreamInfo& video = *source.video().video;
    PictureToTensor convert(video.format, resolve_colour(video.colour, video.format, video.height), video.width,
                            video.height);
    TensorPool pool({3, video.height, video.width});
    for (int i = 0; i < kFrames; ++i) {
        const std::optional<Picture> picture = decoder.next();
        if (!picture) {
            break;
        }
        at::Tensor tensor = pool.take();
        convert.convert(*picture, tensor);
    }
    note(decoder.statistics(), source.video().codec);
}

}   // namespace
}   // namespace millstream

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using millstream::ErrorKind;
    try {
        millstream::decode(std::as_bytes(std::span(data, size)));
    } catch (const millstream::Error& error) {
        millstream::note("error", error.what());
        // A decoder says "no memory" of sizes that it will not take as well.
        if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::resource) {
            std::cerr << "not a refusal of the input: " << error.what() << '\n';
            std::abort();
        }
    }
    return 0;
}
