// Where the job may be taken up again. Boundaries are frame numbers, fixed before the start: the same in every run.
#pragma once

#include <cstdint>

namespace millstream {

/// Note [Restart by rule]
/// What looks at earlier frames (the temporal lock, reuse) must give the same pictures whether a run was interrupted or
/// not. So its state is not saved: for the chunk that begins at frame b it is what a fresh start at b - kWarmUp gives,
/// in every run. A run that passes b computes that second state beside the first over those frames; one that begins at
/// b decodes and enhances them once more, and hands none of them to the encoder. Reuse computes frame b - kWarmUp as a
/// whole, which is a fresh start for it. kWarmUp is long enough that pictures that change do not jump at b: history
/// counts for at most four frames.
///
/// Pictures that stand still do: what came to rest is copied from frame to frame, by the first state from an output
/// with history in it, by the second from what the network made of frame b - kWarmUp alone. Under noise of 5 codes,
/// frozen 2 to 20 frames before b, single pixels of the two were up to 25 codes apart. As a run that begins at b cannot
/// know the first, the way from one to the other lies before b: r frames before, the picture is no more than 2 r codes
/// from the second state's (TemporalLock::approach), so that it moves by 2 codes a frame and by no more than 2 at b.
/// Where the two agree within that, and they do where the picture stood still all along, nothing moves. Both states
/// follow from the rule, so the mixture does.
class Chunks {
public:
    static constexpr std::int64_t kWarmUp = 12;
    static constexpr std::int64_t kShortest = 2 * kWarmUp;

    /// `frames` of each but the last; at least kShortest.
    explicit Chunks(std::int64_t frames) : frames_(frames) {}

    [[nodiscard]] std::int64_t frames() const { return frames_; }
    /// Whether a chunk other than the first begins with this frame.
    [[nodiscard]] bool begins(std::int64_t index) const { return index > 0 && index % frames_ == 0; }
    /// Frames until the next chunk begins, 1 at the last of this one.
    [[nodiscard]] std::int64_t left(std::int64_t index) const { return frames_ - index % frames_; }
    /// The frame that a run begins with whose first new one is `index`.
    [[nodiscard]] static std::int64_t warm_up_begin(std::int64_t index) {
        return index > kWarmUp ? index - kWarmUp : 0;
    }

private:
    std::int64_t frames_;
};

}   // namespace millstream
