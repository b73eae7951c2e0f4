// What can be known to go wrong with OUT before the start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "media/carriage.h"
#include "media/encoding.h"
#include "media/probe.h"
#include "millstream/options.h"
#include "millstream/plan.h"

namespace millstream {

/// The file a job writes to until it is complete.
std::filesystem::path partial_path(const std::filesystem::path& output);      ///< OUT.part
std::filesystem::path checkpoint_path(const std::filesystem::path& output);   ///< OUT.millstream.json
/// All files that a job may write at OUT: itself, OUT.part, the checkpoint and what that is written as.
std::vector<std::filesystem::path> written_paths(const std::filesystem::path& output);

/// OUT, or one of the files beside it, is IN; OUT exists; a folder in OUT's place: Error(usage). Its folder is missing
/// or not writable: Error(refused).
void check_output_path(const Options& options);

/// Bytes a second of the carried streams, as far as the container tells; unknown sound is taken for half of the source
/// at most.
double carried_bytes_per_s(const SourceInfo& source, const std::vector<CarriedStream>& carried);

/// Predicts the output's size against the free space. `carried`: beside the video.
DiskPlan plan_disk(const Options& options, const SourceInfo& source, const EncoderSettings& encoder,
                   const std::vector<CarriedStream>& carried);

/// Error(refused) with every number where the prediction exceeds what is allowed. `--disk-limit none` switches the
/// check off: the prediction is on the high side, and the user may know better. What is in OUT.part already counts.
void check_disk(const DiskPlan& disk, const Options& options);

}   // namespace millstream
