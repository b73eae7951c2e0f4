// The stages that look at more than one frame: motion, before the network, and the temporal lock, behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "millstream/options.h"
#include "motion/estimator.h"
#include "pipeline/chunks.h"
#include "pipeline/stage.h"
#include "temporal/lock.h"

namespace millstream {

/// Memory that motion and lock need beside the frames they hold on to, in bytes.
struct TemporalMemory {
    std::uint64_t motion = 0;    ///< tensors of one Motion
    std::uint64_t apart = 0;     ///< history's counts, work space, the second lock's and a debug view's pictures
    std::uint64_t in_turn = 0;   ///< the same where both run on one thread and never at a time
    std::uint64_t history = 0;   ///< what the lock's window may hold: one output, which is planned for beside these,
                                 ///< and its counts, which are in the others
};
/// `in_bands`: on the CPU, as loops over rows; else in tensor operations. Note [Temporal memory].
TemporalMemory temporal_memory(DebugView view, Size input, int scale, bool in_bands);

/// Fills Frame::motion from Frame::input. Holds on to the last input until the next one has come.
class MotionStage : public Stage {
public:
    /// `threads`: CPU threads for one frame.
    MotionStage(FlowQuality quality, int threads) : estimator_(quality), threads_(threads) {}
    [[nodiscard]] std::string_view name() const override { return "motion"; }
    void process(Item item, const Emit& emit) override;

private:
    MotionEstimator estimator_;
    int threads_;
};

/// Stabilises Frame::output with the help of Frame::motion, which it releases. Holds on to the last output until the
/// next one has come. With a debug view the picture handed on is that view; the lock goes on undisturbed. Before a
/// chunk's end a second lock follows the same frames, which is the next chunk's, and the picture approaches what that
/// one makes of them: Note [Restart by rule].
class TemporalStage : public Stage {
public:
    /// `most_bytes`: of a lock's history; TemporalMemory::history.
    TemporalStage(TemporalPreset preset, DebugView view, int threads, const Chunks& chunks, std::size_t most_bytes)
        : settings_(lock_settings(preset)),
          most_bytes_(most_bytes),
          lock_(settings_, most_bytes),
          chunks_(chunks),
          view_(view),
          threads_(threads) {}
    [[nodiscard]] std::string_view name() const override { return "temporal"; }
    void process(Item item, const Emit& emit) override;

private:
    void stabilise(Frame& frame);
    void prepare_next(const Frame& frame);

    LockSettings settings_;
    std::size_t most_bytes_;
    TemporalLock lock_;
    std::optional<TemporalLock> next_;   // of the chunk to come
    Chunks chunks_;
    DebugView view_;
    int threads_;
};

}   // namespace millstream
