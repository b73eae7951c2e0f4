// Going on with what an interrupted run has left.
#pragma once

#include <cstdint>
#include <optional>

#include "media/decoder.h"
#include "pipeline/checkpoint.h"
#include "pipeline/planner.h"

namespace millstream {

/// The checkpoint of an interrupted run of this job, by Options::resume. Reads, changes nothing.
/// Throws Error(refused): it cannot be read, belongs to other options or to another source (all differences are named),
/// OUT.part is missing or somebody else's, or there is none and one is required.
/// `filtered`: a FrameFilter is among the job's stages. Nobody knows what it remembers, so such a job always starts
/// anew; it does not go on with one that had none, nor the other way round.
std::optional<Checkpoint> find_checkpoint(const Options& options, bool filtered = false);

/// For what writes OUT.part and can never go on: Error(refused) where it is somebody else's, or holds work that could
/// be gone on with, unless Options::resume is `never`.
void check_nothing_is_lost(const Options& options);

ResolvedJob resolve(const PreparedJob& job);

/// Throws Error(refused) where the job as it is prepared would write something else than the checkpoint's has written.
void check_resolved(const PreparedJob& job, const Checkpoint& checkpoint);

/// Where decoding begins.
struct DecodeStart {
    double seconds = 0;                      ///< for DecoderSettings::start_s
    std::int64_t first_index = 0;            ///< of the first frame that is handed on
    std::optional<std::int64_t> first_pts;   ///< earlier frames are dropped; nothing = `first_index` frames are
};

/// Finds the place again behind which `checkpoint` goes on, `warm_up` frames before it: by time stamps where the source
/// can be sought in, which is proven by those of the last frames and by the last frame's pixels; else by counting.
DecodeStart find_decode_start(const SourceInfo& source, DecoderSettings settings, const Checkpoint& checkpoint,
                              std::int64_t warm_up);

/// SHA-256 of the picture's samples.
std::string hash_of(const Picture& picture);

}   // namespace millstream
