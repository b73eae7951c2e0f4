// A caller's own filter among the stages.
#pragma once

#include <atomic>
#include <vector>

#include "millstream/filter.h"
#include "pipeline/stage.h"

namespace millstream {

/// Hands Frame::output to a FrameFilter, gathered into its batches, and takes what it makes of it.
class FilterStage : public Stage {
public:
    /// `filter` must outlive the stage. `output_is_shared`: somebody keeps Frame::output, which a filter must not
    /// change.
    FilterStage(FrameFilter& filter, bool output_is_shared);
    [[nodiscard]] std::string_view name() const override { return "filter"; }
    void process(Item item, const Emit& emit) override;

    /// Frames that were copied for the filter so far.
    [[nodiscard]] std::int64_t copies() const { return copies_.load(); }

private:
    void run(const Emit& emit);

    FrameFilter& filter_;
    bool shared_;
    std::size_t batch_;
    std::vector<Frame> waiting_;
    std::atomic<std::int64_t> copies_{0};
};

}   // namespace millstream
