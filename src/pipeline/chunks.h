// Where the job may be taken up again. Boundaries are frame numbers, fixed before the start: the same in every run.
#pragma once

#include <cstdint>

namespace millstream {

/// Note [Restart by rule]
/// What looks at earlier frames (the temporal lock, reuse) must give the same pictures whether a run was interrupted or
/// not. So its state is not saved: for the chunk that begins at frame b it is what a fresh start at b - kWarmUp gives,
/// in every run. A run that passes b computes that second state beside the first over those frames; one that begins at
/// b decodes and enhances them once more, and hands none of them to the encoder. Reuse computes frame b - kWarmUp as a
/// whole, which is a fresh start for it. kWarmUp is long enough that the picture
/// does not jump at b: history counts for at most four frames.
class Chunks {
public:
    static constexpr std::int64_t kWarmUp = 12;
    static constexpr std::int64_t kShortest = 2 * kWarmUp;

    /// `frames` of each but the last; at least kShortest.
    explicit Chunks(std::int64_t frames) : frames_(frames) {}

    [[nodiscard]] std::int64_t frames() const { return frames_; }
    /// Whether a chunk other than the first begins with this frame.
    [[nodiscard]] bool begins(std::int64_t index) const { return index > 0 && index % frames_ == 0; }
    /// The frame that a run begins with whose first new one is `index`.
    [[nodiscard]] static std::int64_t warm_up_begin(std::int64_t index) {
        return index > kWarmUp ? index - kWarmUp : 0;
    }

private:
    std::int64_t frames_;
};

}   // namespace millstream
