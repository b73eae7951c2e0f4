// Frame index -> time stamp, for what comes out of the encoder.
//
// Note [Frame indices]
// The encoder never sees a time stamp. Its time base is 1/rate and a picture's pts is its index 0, 1, 2 ...; what comes
// out is mapped back: pts = T[pts index], dts = T[dts index], with T the table of the pictures' own time stamps.
// Why: given the real time stamps of a variable-rate video, an encoder bends its rate control around them, may refuse
// them, and makes up dts of its own by looking ahead; when it is restarted at a chunk boundary it makes up others, and
// pts were seen to come out 0.33 s wrong (x264, FFmpeg 5.1).
// Why it is right: T strictly rises and an encoder's dts index never exceeds its pts index, so dts strictly rises and
// never exceeds pts. The first pictures' dts lie before the first picture (reordering): index -k is T[0] minus k
// nominal frames.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace millstream {

/// The table T of Note [Frame indices], and the durations that follow from it. Only what is still asked for is kept.
class FrameClock {
public:
    /// `nominal`: ticks of a frame at the nominal rate, at least 1.
    explicit FrameClock(std::int64_t nominal) : nominal_(nominal < 1 ? 1 : nominal) {}

    /// The next picture's time stamp, later than all before. `duration`: the picture's own; 0 = unknown.
    /// Returns its index. Throws Error(internal) when the time stamp does not rise.
    std::int64_t add(std::int64_t pts, std::int64_t duration);

    /// Time stamp of `index`, which may be negative (before the first picture) but not beyond the last.
    [[nodiscard]] std::int64_t at(std::int64_t index) const;

    /// To the next picture; for the last one its own duration, else the nominal one.
    [[nodiscard]] std::int64_t duration_of(std::int64_t index) const;

    /// Whether the picture after `index` is known, and with it the exact duration.
    [[nodiscard]] bool knows_next(std::int64_t index) const { return index + 1 < count_; }

    /// The time stamp that will follow the last picture's, before it is added.
    void expect(std::int64_t next_pts) { last_duration_ = next_pts - pts_.back(); }

    /// The last pictures' time stamps, oldest first; going on from there.
    [[nodiscard]] std::vector<std::int64_t> last(std::size_t most) const;
    [[nodiscard]] std::int64_t first_pts() const { return first_pts_; }
    [[nodiscard]] std::int64_t last_duration() const { return last_duration_; }
    void resume(std::int64_t count, std::int64_t first_pts, const std::vector<std::int64_t>& last,
                std::int64_t last_duration);

    /// Indices below `index` will not be asked for any more, but for the last kKept.
    void forget_below(std::int64_t index);

    [[nodiscard]] std::int64_t count() const { return count_; }
    /// End of the last picture; 0 before the first.
    [[nodiscard]] std::int64_t end() const { return count_ == 0 ? 0 : at(count_ - 1) + duration_of(count_ - 1); }

    /// Enough for an encoder's delay, and for a run that goes on to find its place by.
    static constexpr std::size_t kKept = 64;

private:
    std::int64_t nominal_;
    std::int64_t first_pts_ = 0;
    std::int64_t last_duration_ = 0;
    std::int64_t count_ = 0;
    std::int64_t oldest_ = 0;   // index of pts_.front()
    std::deque<std::int64_t> pts_;
};

}   // namespace millstream
