#include "pipeline/committer.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "millstream/error.h"
#include "pipeline/chunk_plan.h"
#include "pipeline/output_checks.h"
#include "pipeline/plan_words.h"
#include "pipeline/resume.h"
#include "resource/memory.h"

namespace millstream {
namespace {

// An MP4's index repeats what its fragments' heads say of each packet, in about two thirds of the bytes.
constexpr double kWithIndex = 1.7;

double chunk_seconds(const PreparedJob& job) {
    return static_cast<double>(job.chunk_frames) / std::max(job.encoder.frame_rate.value(), 1.0);
}

}   // namespace

ChunkCommitter::ChunkCommitter(const PreparedJob& job, const SourceIdentity& source, VideoOutput& output,
                               FileCalls& files)
    : job_(job),
      output_(output),
      files_(files),
      path_(checkpoint_path(job.plan.options.output)),
      seconds_per_tick_(job.source.video().time_base.value()),
      duration_s_(duration_of(job)),
      bytes_before_(job.checkpoint ? job.checkpoint->output.bytes : 0) {
    if (job.steers_size) {
        governor_.emplace(make_governor(job, job.checkpoint ? job.checkpoint->written_other : job.other_bytes));
        crfs_.push_back(first_rate(job).crf);
    }
    if (job.checkpoint) {
        checkpoint_ = *job.checkpoint;
        committed_frames_.store(checkpoint_.output.frames);
        done_s_ = checkpoint_.done_s;
        return;
    }
    checkpoint_.program = "millstream " MILLSTREAM_VERSION;
    checkpoint_.input = std::filesystem::absolute(job.plan.options.input);
    checkpoint_.asked = asked_for(job.plan.options);
    checkpoint_.filtered = job.filtered;
    checkpoint_.model_sha256 = job.model->sha256;
    checkpoint_.source = source;
    checkpoint_.resolved = resolve(job);
    checkpoint_.rate = first_rate(job);
}

ChunkRate ChunkCommitter::first_rate(const PreparedJob& job) {
    if (job.checkpoint) {
        return job.checkpoint->rate;
    }
    if (!job.steers_size) {
        return {job.encoder.crf, 0, 0};
    }
    const double seconds = std::min(chunk_seconds(job), std::max(duration_of(job), 1e-3));
    return make_governor(job, job.other_bytes).next(seconds, 0);
}

double ChunkCommitter::seconds_between(std::int64_t begin_pts, std::int64_t end_pts) const {
    return static_cast<double>(end_pts - begin_pts) * seconds_per_tick_;
}

void ChunkCommitter::taken(const Frame& frame) {
    if (!chunk_begin_pts_) {
        chunk_begin_pts_ = frame.pts;
    }
    last_end_pts_ = frame.pts + frame.duration;
    checkpoint_.source_repaired = checkpoint_.source_repaired || frame.source_repaired;
    if (!frame.source_hash.empty()) {
        checkpoint_.last_frame_sha256 = frame.source_hash;
    }
}

void ChunkCommitter::end_chunk(std::int64_t next_pts, Precision precision) {
    if (precision != Precision::automatic) {
        checkpoint_.resolved.precision = words(precision);
    }
    const double seconds = seconds_between(chunk_begin_pts_.value_or(next_pts), next_pts);
    commit(output_.end_chunk(next_pts), seconds);
    chunk_begin_pts_ = next_pts;
    watch_disk(checkpoint_.output);
}

void ChunkCommitter::end() {
    const double seconds = seconds_between(chunk_begin_pts_.value_or(last_end_pts_), last_end_pts_);
    commit(output_.end(), seconds);
}

void ChunkCommitter::commit(OutputState state, double seconds) {
    done_s_ += seconds;
    checkpoint_.done_s = done_s_;
    if (governor_ && !state.complete) {
        steer(state, seconds);
    }
    checkpoint_.output = std::move(state);
    write_checkpoint(files_, path_, checkpoint_);
    committed_frames_.store(checkpoint_.output.frames);
    ++checkpoints_;
}

// What is no video is known better with every chunk: so much in so many seconds, and the rest alike.
void ChunkCommitter::steer(const OutputState& state, double seconds) {
    const std::uint64_t before = checkpoint_.output.video_bytes;
    governor_->chunk_done(seconds, state.video_bytes - before, checkpoint_.rate.crf);
    const double other = static_cast<double>(state.bytes - state.video_bytes) * duration_s_ / std::max(done_s_, 1e-3);
    const bool has_index = job_.plan.container == "mp4" || job_.plan.container == "mov";
    checkpoint_.written_other = static_cast<std::uint64_t>(other * (has_index ? kWithIndex : 1));
    governor_->set_bytes(video_bytes_left(job_, checkpoint_.written_other));
    const double next_s = std::min(chunk_seconds(job_), std::max(duration_s_ - done_s_, 1e-3));
    checkpoint_.rate = governor_->next(next_s, state.video_bytes);
    checkpoint_.governor = governor_->state();
    output_.set_rate(checkpoint_.rate.crf, checkpoint_.rate.max_rate, checkpoint_.rate.max_buffer);
    crfs_.push_back(checkpoint_.rate.crf);
}

// By what this run and those before it have taken so far.
void ChunkCommitter::watch_disk(const OutputState& state) const {
    const Options& options = job_.plan.options;
    if (options.disk_limit.kind == DiskLimit::Kind::none || done_s_ <= 0) {
        return;
    }
    const double left_s = std::max(duration_s_ - done_s_, 0.0);
    const auto rest = static_cast<std::uint64_t>(static_cast<double>(state.bytes) / done_s_ * left_s);
    const std::uint64_t free = free_disk(folder_of(options.output));
    const std::uint64_t written = state.bytes - bytes_before_;
    const bool over = written > job_.plan.disk.allowed;
    if (rest <= free && !over) {
        return;
    }
    throw Error(ErrorKind::resource,
                {"watching the free space", folder_of(options.output).string(),
                 over ? "this run has written " + format_bytes(written) + ", as much as it may (--disk-limit)"
                      : "the rest of the output will take about " + format_bytes(rest) + ", but only " +
                            format_bytes(free) + " are free",
                 "Free some space and give the same command again: it goes on where it is"});
}

}   // namespace millstream
