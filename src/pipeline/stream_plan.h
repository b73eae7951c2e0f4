// What happens to every stream of the source beside the enhanced one, with the reasons in words.
#pragma once

#include "pipeline/planner.h"

namespace millstream {

/// Fills job.carried, job.plan.streams and .chapters, and notes what will not be in the output and what would hold it.
/// Throws Error(usage) where the user chose a stream that is not there or of another kind.
void plan_streams(PreparedJob& job);

/// Notes what of the picture's own metadata the output cannot hold: rotation, dynamic HDR metadata, film grain.
void note_picture(PreparedJob& job);

/// Room for the index in front, where it was asked for and can be had.
void plan_index(PreparedJob& job);

}   // namespace millstream
