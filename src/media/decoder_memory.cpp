// What a decoder needs in host memory. Checked in 2026-11 (FFmpeg 5.1.9, VmHWM over 100 frames, MiB, 1 / 2 / 8 threads,
// measured of estimated): 1920x1080 H.264 20 32 73 of 75 83 131, 3840x2160 H.264 70 101 235, HEVC 107 124 259, AV1 118
// 192 224 of 213 233 350, 3026x1386 H.264 with large packets 61 133 199 of 124 136 207.
#include <algorithm>
#include <string>

#include "media/decoder.h"
#include "media/frame_decoder.h"

namespace millstream {
namespace {

// Pictures a codec may keep for reference and reordering. H.264 and HEVC allow 16 and encoders use 3-6 at the sizes
// where it matters (level limits: 5 at 2160p in level 5.1); VP9 and AV1 have eight slots.
int reference_pictures(const std::string& codec) {
    if (codec == "h264" || codec == "hevc") {
        return 8;
    }
    if (codec == "vp9" || codec == "av1" || codec == "vp8") {
        return 9;
    }
    return 3;   // MPEG-1, 2, 4 and intra-only codecs
}

}   // namespace

std::uint64_t decoder_memory(const SourceInfo& source, int threads) {
    const StreamInfo& stream = source.video();
    const VideoStreamInfo& video = *stream.video;
    const int frame_threads = decoder_threads(threads);
    constexpr int kPadding = 128;       // edges that motion vectors may point into, and alignment
    constexpr int kOurs = 3;            // one handed out, one being unpacked or resampled, one waiting
    constexpr double kSideData = 1.2;   // motion vectors, macroblock types, packets
    const double picture =
        static_cast<double>(video.format.picture_bytes(video.width + kPadding, video.height + kPadding)) * kSideData;
    constexpr double kContext = 24e6;        // demuxer, tables
    constexpr double kThreadContext = 4e6;   // each has its own tables and packet
    return static_cast<std::uint64_t>(kContext + frame_threads * kThreadContext +
                                      picture * (reference_pictures(stream.codec) + frame_threads + kOurs));
}

std::uint64_t decoder_device_memory(const SourceInfo& source) {
    const StreamInfo& stream = source.video();
    const VideoStreamInfo& video = *stream.video;
    constexpr int kKinds = 2;   // as many to decode into as to hand out
    const int surfaces = reference_pictures(stream.codec) + kSurfacesOfFFmpeg + kThreadsBesideDevice + kFramesOfOurs;
    const PixelFormat nv12{.depth = video.format.depth > 8 ? 16 : 8};
    return static_cast<std::uint64_t>(kKinds * surfaces) * nv12.picture_bytes(video.width, video.height);
}

}   // namespace millstream
