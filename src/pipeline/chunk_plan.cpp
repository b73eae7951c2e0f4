#include "pipeline/chunk_plan.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "media/index_in_front.h"
#include "pipeline/chunks.h"
#include "pipeline/output_checks.h"

namespace millstream {
namespace {

constexpr double kUsualChunk_s = 8;
constexpr double kLongestWork_s = 60;
constexpr std::uint64_t kSmallestInput = 64 * kKiB;
// Steps of crf that are hardly seen.
constexpr int kFewSteps = 3;
// Less makes no picture: bytes a second, and in all, where a video has only some frames.
constexpr double kLowestVideoRate = 50'000 / 8.0;
constexpr double kLeastVideo = 64 * kKiB;

// Encoders whose rate is bounded beside a constant quality, and the worst quality they know.
int worst_crf(std::string_view encoder) {
    return encoder == "libx264" || encoder == "libx265" ? 51 : encoder == "libsvtav1" ? 63 : 0;
}

std::uint64_t most_output(const PreparedJob& job) {
    const TotalLimit& limit = job.plan.options.max_total;
    const double input = static_cast<double>(job.source.bytes);
    const double total = limit.kind == TotalLimit::Kind::bytes ? static_cast<double>(limit.bytes) : input * limit.ratio;
    return static_cast<std::uint64_t>(std::max(total - input - static_cast<double>(job.plan.disk.checkpoint), 0.0));
}

double least_video(const PreparedJob& job) {
    return std::max(kLowestVideoRate * duration_of(job), kLeastVideo);
}

void note(PreparedJob& job, std::string sentence) {
    job.plan.notes.push_back(std::move(sentence));
}

std::int64_t chunk_frames_for(const PreparedJob& job, double seconds_per_frame) {
    if (job.checkpoint) {
        return job.checkpoint->resolved.chunk_frames;
    }
    const ChunkLength& asked = job.plan.options.chunk;
    const double rate = std::max(job.encoder.frame_rate.value(), 1.0);
    double frames = kUsualChunk_s * rate;
    if (asked.kind == ChunkLength::Kind::frames) {
        frames = static_cast<double>(asked.frames);
    } else if (asked.kind == ChunkLength::Kind::seconds) {
        frames = asked.seconds * rate;
    } else if (seconds_per_frame > 0) {
        frames = std::min(frames, kLongestWork_s / seconds_per_frame);
    }
    return std::max<std::int64_t>(Chunks::kShortest, std::llround(frames));
}

}   // namespace

double duration_of(const PreparedJob& job) {
    const StreamInfo& video = job.source.video();
    return video.duration_s > 0 ? video.duration_s : job.source.duration_s;
}

void plan_chunks(PreparedJob& job, double seconds_per_frame) {
    job.chunk_frames = chunk_frames_for(job, seconds_per_frame);
    job.chunk_wall_s = static_cast<double>(job.chunk_frames) * seconds_per_frame;
    if (job.chunk_wall_s > kLongestWork_s) {
        note(job, "Between two checkpoints lie about " + std::to_string(std::llround(job.chunk_wall_s)) +
                      " s of work, which is what a crash costs at most.");
    }
}

std::uint64_t video_bytes_left(const PreparedJob& job, std::uint64_t other_bytes) {
    const auto most = static_cast<double>(job.plan.disk.most_output);
    return static_cast<std::uint64_t>(std::max(most - static_cast<double>(other_bytes), least_video(job)));
}

void plan_size(PreparedJob& job) {
    const Options& options = job.plan.options;
    if (options.max_total.kind == TotalLimit::Kind::none) {
        return;
    }
    const double duration = duration_of(job);
    if (duration <= 0) {
        note(job, "The input's length is unknown: --max-total is watched, not steered.");
        return;
    }
    if (worst_crf(job.encoder.encoder) == 0) {
        note(job, "The size of what " + job.encoder.encoder + " makes cannot be steered: --max-total is not kept.");
        return;
    }
    if (job.source.bytes < kSmallestInput) {
        note(job, "The input is smaller than " + format_bytes(kSmallestInput) + ": --max-total is not kept.");
        return;   // headers alone would break it
    }
    const std::uint64_t index = job.index_bytes > 0 ? job.index_bytes : predicted_index_bytes(job.source, job.carried);
    const bool has_index = job.plan.container == "mp4" || job.plan.container == "mov";
    job.other_bytes =
        static_cast<std::uint64_t>(carried_bytes_per_s(job.source, job.carried) * duration) + (has_index ? index : 0);
    job.steers_size = true;
    job.plan.disk.most_output = most_output(job);
    const double asked = static_cast<double>(job.plan.disk.most_output) - static_cast<double>(job.other_bytes);
    if (asked < least_video(job)) {
        note(job, "--max-total would leave too little for a picture: the video gets " +
                      format_bytes(static_cast<std::uint64_t>(least_video(job))) + ".");
    }
}

std::string lowered_quality(int asked_crf, const std::vector<int>& chunk_crf) {
    if (chunk_crf.empty()) {
        return {};
    }
    const auto [best, worst] = std::minmax_element(chunk_crf.begin(), chunk_crf.end());
    if (*worst <= asked_crf + kFewSteps) {
        return {};
    }
    const std::string range =
        *best == *worst ? std::to_string(*worst) : std::to_string(*best) + " to " + std::to_string(*worst);
    return "to keep --max-total chunks were encoded with crf " + range + " instead of " + std::to_string(asked_crf);
}

SizeGovernor make_governor(const PreparedJob& job, std::uint64_t other_bytes) {
    const SizeGovernor::Limits limits{video_bytes_left(job, other_bytes), duration_of(job), job.encoder.crf,
                                      worst_crf(job.encoder.encoder), predicted_video_bytes_per_s(job.encoder)};
    return {limits, job.checkpoint ? job.checkpoint->governor : GovernorState{}};
}

}   // namespace millstream
