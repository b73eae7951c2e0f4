#include "pipeline/output_checks.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "base/bytes.h"
#include "base/file.h"
#include "millstream/error.h"
#include "resource/memory.h"

namespace millstream {
namespace {

constexpr std::uint64_t kCheckpointBytes = 64 * kKiB;
// Audio whose bit rate the container does not tell: above what lossy stereo and 5.1 tracks use.
constexpr double kUnknownAudioBytesPerS = 640'000 / 8.0;
// A source of unknown length: video at most grows this much, by the default limit on the total size.
constexpr double kUnknownLengthGrowth = 3.0;

}   // namespace

std::filesystem::path partial_path(const std::filesystem::path& output) {
    return output.string() + ".part";
}

std::filesystem::path checkpoint_path(const std::filesystem::path& output) {
    return output.string() + ".millstream.json";
}

std::vector<std::filesystem::path> written_paths(const std::filesystem::path& output) {
    const std::filesystem::path checkpoint = checkpoint_path(output);
    return {output, partial_path(output), checkpoint, temporary_of(checkpoint)};
}

double carried_bytes_per_s(const SourceInfo& source, const std::vector<CarriedStream>& carried) {
    const double half =
        source.duration_s > 0 ? static_cast<double>(source.bytes) / source.duration_s / 2 : kUnknownAudioBytesPerS;
    double sum = 0;
    for (const CarriedStream& stream : carried) {
        const StreamInfo& info = source.streams.at(static_cast<std::size_t>(stream.index));
        const bool has_packets = stream.how == Carriage::copy || stream.how == Carriage::convert;
        const double unknown = info.kind == StreamKind::audio ? std::min(kUnknownAudioBytesPerS, half) : 0;
        sum += !has_packets ? 0 : info.bit_rate > 0 ? static_cast<double>(info.bit_rate) / 8 : unknown;
    }
    return sum;
}

void check_output_path(const Options& options) {
    std::error_code ignored;
    const auto& out = options.output;
    for (const std::filesystem::path& written : written_paths(out)) {
        if (std::filesystem::equivalent(options.input, written, ignored)) {   // also under another name
            throw Error(ErrorKind::usage, {"checking the output", out.string(),
                                           written == out ? "it is the input itself"
                                                          : "until it is complete " + written.string() +
                                                                " is written, which is the input itself",
                                           "Choose another name with -o"});
        }
    }
    if (std::filesystem::is_directory(out, ignored)) {
        throw Error(ErrorKind::usage, {"checking the output", out.string(), "it is a folder",
                                       "Give a file name, for example " + (out / "result.mp4").string()});
    }
    if (std::filesystem::exists(out, ignored) && !options.overwrite) {
        throw Error(ErrorKind::usage, {"checking the output", out.string(), "the file exists already",
                                       "Choose another name, or give -y to replace it once the new one is complete"});
    }
    const auto folder = folder_of(out);
    if (!std::filesystem::is_directory(folder, ignored)) {
        throw Error(ErrorKind::refused, {"checking the output", out.string(),
                                         "its folder " + folder.string() + " does not exist", "Create it first"});
    }
    if (access(folder.c_str(), W_OK | X_OK) != 0) {
        throw Error(ErrorKind::refused,
                    {"checking the output", out.string(),
                     "its folder " + folder.string() + " is not writable: " + std::generic_category().message(errno),
                     "Choose a folder you may write to"});
    }
}

DiskPlan plan_disk(const Options& options, const SourceInfo& source, const EncoderSettings& encoder,
                   const std::vector<CarriedStream>& carried) {
    const double copied_bytes_per_s = carried_bytes_per_s(source, carried);
    DiskPlan disk;
    disk.checkpoint = kCheckpointBytes;
    disk.predicted_output = static_cast<std::uint64_t>(
        source.duration_s > 0 ? source.duration_s * (predicted_video_bytes_per_s(encoder) + copied_bytes_per_s)
                              : static_cast<double>(source.bytes) * kUnknownLengthGrowth);
    disk.free = free_disk(folder_of(options.output));
    disk.allowed = allowed_disk(options.disk_limit, disk.free);
    return disk;
}

void check_disk(const DiskPlan& disk, const Options& options) {
    std::error_code none;
    const std::uintmax_t size = std::filesystem::file_size(partial_path(options.output), none);
    const std::uint64_t there = none ? 0 : size;
    if (options.disk_limit.kind == DiskLimit::Kind::none ||
        disk.predicted_output + disk.checkpoint <= disk.allowed + there) {
        return;
    }
    throw Error(ErrorKind::refused,
                {"checking the disk space", folder_of(options.output).string(),
                 "the output is predicted to take up to " + format_bytes(disk.predicted_output) +
                     " and the checkpoint " + format_bytes(disk.checkpoint) + ", but only " +
                     format_bytes(disk.allowed) + " of the " + format_bytes(disk.free) + " free there may be used",
                 "Free some space, write to another disk, raise --crf, or widen --disk-limit"});
}

}   // namespace millstream
