// Options -> everything resolved, before anything is written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "media/carriage.h"
#include "media/cropping.h"
#include "media/encoding.h"
#include "media/interlacing.h"
#include "media/probe.h"
#include "millstream/plan.h"
#include "model/device.h"
#include "model/executor.h"
#include "model/network.h"
#include "model/shelf.h"
#include "pipeline/checkpoint.h"
#include "pipeline/memory_plan.h"

namespace millstream {

class Observer;

/// The plan with the values the job needs beside it, so that nothing is probed or loaded twice.
struct PreparedJob {
    Plan plan;
    SourceInfo source;
    std::optional<CropArea> crop;   ///< already part of `source`
    Deinterlacing deinterlacing;
    std::shared_ptr<const LoadedModel> model;
    std::int64_t loads_before = 0;      ///< model_load_count() before this job
    std::uint64_t peak_rss_bytes = 0;   ///< of the process while the network was measured; 0 = it was not
    ExecutorSettings executor;
    std::vector<DeviceInfo> devices;   ///< that the network runs on
    EncoderSettings encoder;
    MemoryChoice memory;
    std::vector<CarriedStream> carried;     ///< rising indices
    std::uint64_t index_bytes = 0;          ///< room for the index in front; 0 = it stays at the end
    std::int64_t chunk_frames = 0;          ///< between two checkpoints
    double chunk_wall_s = 0;                ///< as in Plan
    bool steers_size = false;               ///< Options::max_total is kept: Note [Size governor]
    std::uint64_t other_bytes = 0;          ///< what is no video is expected to take: carried streams, index
    bool filtered = false;                  ///< a FrameFilter is among the stages
    std::optional<Checkpoint> checkpoint;   ///< the job goes on behind it
};

/// Source and output have an alpha plane.
inline bool keeps_alpha(const PreparedJob& job) {
    return job.source.video().video->format.alpha && job.encoder.format.alpha && job.plan.options.alpha != Alpha::drop;
}

/// Probes, loads the network, chooses and checks. Throws Error: usage, input, model, refused.
PreparedJob prepare(const Options& options);

/// The same with a network that may have been loaded for the job before. `observer` is told of what takes long; on a
/// stop request Error(interrupted) is thrown. `filtered`: as in PreparedJob.
PreparedJob prepare(const Options& options, ModelShelf& models, Observer& observer, std::stop_token stop = {},
                    bool filtered = false);

}   // namespace millstream
