// Time stamps that strictly rise, whatever the source says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace millstream {

/// Where the source has none, the previous pts plus `nominal` ticks; where it repeats or goes back, plus one tick.
class RisingPts {
public:
    /// `nominal`: ticks of a frame at the stream's rate, at least 1.
    explicit RisingPts(std::int64_t nominal) : nominal_(std::max<std::int64_t>(nominal, 1)) {}

    std::int64_t next(std::optional<std::int64_t> pts) {
        const bool rises = pts && (!started_ || *pts > previous_);
        if (rises) {
            previous_ = *pts;
        } else {
            ++(!pts ? missing_ : *pts == previous_ ? repeated_ : backward_);
            previous_ += !started_ ? 0 : pts ? 1 : nominal_;
        }
        started_ = true;
        return previous_;
    }

    [[nodiscard]] std::int64_t missing() const { return missing_; }
    [[nodiscard]] std::int64_t repeated() const { return repeated_; }
    [[nodiscard]] std::int64_t backward() const { return backward_; }
    [[nodiscard]] std::int64_t repaired() const { return missing_ + repeated_ + backward_; }

private:
    std::int64_t nominal_;
    std::int64_t previous_ = 0;
    bool started_ = false;
    std::int64_t missing_ = 0;
    std::int64_t repeated_ = 0;
    std::int64_t backward_ = 0;
};

}   // namespace millstream
