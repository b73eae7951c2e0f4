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
        if (!previous_) {
            repaired_ += pts ? 0 : 1;
            previous_ = pts.value_or(0);
        } else if (pts && *pts > *previous_) {
            previous_ = pts;
        } else {
            ++repaired_;
            previous_ = *previous_ + (pts ? 1 : nominal_);
        }
        return *previous_;
    }

    [[nodiscard]] std::int64_t repaired() const { return repaired_; }

private:
    std::int64_t nominal_;
    std::optional<std::int64_t> previous_;
    std::int64_t repaired_ = 0;
};

}   // namespace millstream
