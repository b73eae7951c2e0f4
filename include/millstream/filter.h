// A function of the caller's own as one of the stages.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "millstream/observer.h"
#include "millstream/options.h"
#include "millstream/report.h"

namespace millstream {

/// Successive enhanced frames: [frames,3,height,width] float32, R G B, 0..1 nominal, contiguous. A filter changes them
/// in place or puts other memory of the same shape in their place.
struct FilterBatch {
    float* data = nullptr;
    std::int64_t frames = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::vector<std::int64_t> indices;   ///< of the frames in the video: 0, 1, 2, ...
    std::shared_ptr<void> owner;         ///< keeps `data`
};

/// Stands behind the network and the temporal lock, before the encoder.
class FrameFilter {
public:
    virtual ~FrameFilter() = default;

    /// Most frames that process() gets at once; the last batch may be smaller. 1 costs no copy; more are gathered.
    [[nodiscard]] virtual int batch_frames() const { return 1; }

    /// Called on one thread of the job, one call at a time, in the order of the frames. What it throws ends the job and
    /// is rethrown by enhance().
    virtual void process(FilterBatch& batch) = 0;
};

/// As enhance() of millstream/job.h, with `filter` among the stages. With Options::temporal a frame is copied for the
/// filter, because the lock keeps what it gave: Report::copies_per_frame counts it. Frames that wait for their batch
/// are not part of the memory plan. What an interrupted run with a filter has left is not gone on with, because nobody
/// knows what the filter remembers: such a job starts again, and Resume::require is refused. A job with a filter and
/// one without refuse to begin on what the other has left, unless Options::resume is `never`.
Report enhance(const Options& options, FrameFilter& filter, Observer* observer = nullptr, std::stop_token stop = {});

}   // namespace millstream
