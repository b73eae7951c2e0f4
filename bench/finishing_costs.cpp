// What finishing a long output in place takes: `finishing_costs SOURCE OUT SECONDS BYTES_PER_SECOND`. Writes OUT, in
// the container of its extension, as a job does: tiny pictures that the encoder fills up to the rate, in chunks, beside
// the other streams of SOURCE, which should last as long. Takes it out of the page cache, so that what is read comes
// from the disk, and finishes it. Prints one JSON object: packets and bytes of the file, seconds, and the most memory
// that was resident while it was finished.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "base/bytes.h"
#include "media/carriage.h"
#include "media/output.h"
#include "resource/memory.h"

namespace millstream {
namespace {

constexpr int kWidth = 64;
constexpr int kHeight = 48;
constexpr std::int64_t kChunkSeconds = 8;
constexpr unsigned char kBlackLuma = 16;
constexpr unsigned char kGreyChroma = 128;

EncoderSettings padded_to(std::int64_t bytes_per_second, Rational rate) {
    const std::string kilobits = std::to_string(bytes_per_second * 8 / 1000);
    EncoderSettings settings;
    settings.encoder = "libx264";
    settings.width = kWidth;
    settings.height = kHeight;
    settings.pixel_format_name = "yuv420p";
    settings.frame_rate = rate;
    settings.preset = "ultrafast";
    settings.threads = 1;
    settings.extra = {
        {"bf", "2"},
        {"x264-params", "nal-hrd=cbr:bitrate=" + kilobits + ":vbv-maxrate=" + kilobits + ":vbv-bufsize=" + kilobits}};
    return settings;
}

OutputSpec spec_for(const SourceInfo& source, const std::filesystem::path& out, std::int64_t bytes_per_second) {
    OutputSpec spec;
    spec.path = out;
    spec.container = container_for(out);
    spec.encoder = padded_to(bytes_per_second, source.video().video->average_rate);
    for (const StreamInfo& stream : source.streams) {
        const CarriageDecision decision = decide_carriage(stream, spec.container, false);
        if (stream.index != source.video_stream && decision.stream.how != Carriage::drop) {
            spec.carried.push_back(decision.stream);
        }
    }
    return spec;
}

Picture black(PicturePool& pool) {
    Picture picture = pool.take();
    for (int plane = 0; plane < picture.format.planes(); ++plane) {
        const Plane& to = picture.planes[static_cast<std::size_t>(plane)];
        std::fill_n(to.data, to.stride * picture.format.plane_height(plane, picture.height),
                    std::byte{plane == 0 ? kBlackLuma : kGreyChroma});
    }
    return picture;
}

OutputState write_pictures(VideoOutput& output, const SourceInfo& source, std::int64_t seconds) {
    const double rate = source.video().video->average_rate.value();
    const double ticks = 1 / (rate * source.video().time_base.value());
    const auto per_chunk = static_cast<std::int64_t>(rate * static_cast<double>(kChunkSeconds));
    const auto frames = static_cast<std::int64_t>(rate * static_cast<double>(seconds));
    const auto pts = [&](std::int64_t frame) { return static_cast<std::int64_t>(static_cast<double>(frame) * ticks); };
    PicturePool pool({}, kWidth, kHeight);
    for (std::int64_t frame = 0; frame < frames; ++frame) {
        if (frame > 0 && frame % per_chunk == 0) {
            output.end_chunk(pts(frame));
        }
        Picture picture = black(pool);
        picture.pts = pts(frame);
        picture.duration = pts(frame + 1) - picture.pts;
        output.write(picture);
    }
    return output.end();
}

void drop_from_page_cache(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool dropped = file >= 0 && ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
    ::close(file);
    if (!dropped) {
        throw std::runtime_error("the file cannot be taken out of the page cache");
    }
}

struct Finished {
    OutputStatistics statistics;
    double seconds = 0;
    double peak_mib = 0;
};

Finished finish(VideoOutput& output) {
    if (!reset_peak_resident_bytes()) {
        throw std::runtime_error("the kernel does not forget the peak of resident memory");
    }
    const auto start = std::chrono::steady_clock::now();
    Finished finished;
    finished.statistics = output.finish();
    finished.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    finished.peak_mib = static_cast<double>(peak_resident_bytes()) / kMiB;
    return finished;
}

void run(const std::string& source_path, const std::string& out, std::int64_t seconds, std::int64_t bytes_per_second) {
    const SourceInfo source = probe(source_path);
    OutputSpec spec = spec_for(source, out, bytes_per_second);
    Finished first;
    {
        VideoOutput output(spec, source);
        spec.resume = write_pictures(output, source, seconds);
        first = finish(output);
    }
    drop_from_page_cache(out);
    VideoOutput output(spec, source);
    const Finished again = finish(output);
    std::printf(
        "{\"frames\": %lld, \"copied_packets\": %lld, \"bytes\": %llu, \"seconds\": %.3f, \"seconds_from_disk\": %.3f, "
        "\"peak_mib\": %.1f}\n",
        static_cast<long long>(first.statistics.frames), static_cast<long long>(first.statistics.copied_packets),
        static_cast<unsigned long long>(first.statistics.bytes), first.seconds, again.seconds,
        std::max(first.peak_mib, again.peak_mib));
}

}   // namespace
}   // namespace millstream

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: finishing_costs SOURCE OUT SECONDS BYTES_PER_SECOND\n", stderr);
        return 2;
    }
    try {
        millstream::run(argv[1], argv[2], std::stoll(argv[3]), std::stoll(argv[4]));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "finishing_costs: %s\n", error.what());
        return 1;
    }
    return 0;
}
