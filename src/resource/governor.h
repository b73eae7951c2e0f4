// When is memory short, and when no longer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "millstream/resources.h"

namespace millstream {

/// Shares of what there is, 0..1.
struct Thresholds {
    double elevated = 0.80;
    double critical = 0.92;
};

/// Turns shares in use into levels. A level is entered at its threshold and left kHysteresis below it, so that a share
/// that wavers around a threshold changes nothing.
class LevelSwitch {
public:
    explicit LevelSwitch(Thresholds thresholds) : thresholds_(thresholds) {}
    /// Whether `share` changes the level.
    bool update(double share);
    [[nodiscard]] PressureLevel level() const { return level_; }

    static constexpr double kHysteresis = 0.05;

private:
    Thresholds thresholds_;
    PressureLevel level_ = PressureLevel::normal;
};

/// How much of something is in use, and of what, in words for a warning.
struct Use {
    double share = 0;
    std::string words;   ///< "6.6 GiB of the 8 GiB of this container are in use"
};

/// What the run was planned with.
struct PlannedMemory {
    std::uint64_t expected = 0;        ///< bytes at the peak; 0 = not planned
    std::uint64_t budget = 0;          ///< bytes
    std::uint64_t vram_expected = 0;   ///< bytes of each device at the peak; 0 = not planned
    std::optional<std::uint64_t> vram_budget;
};

/// The largest of three: the container's memory against its limit, the machine's against its size (other processes
/// count like our own), and our own against the plan. Note [Own use].
Use memory_use(const ResourceSnapshot& figures, const PlannedMemory& planned, Thresholds thresholds);

/// The same of a device: its memory against its size, and our own against the plan. Nothing without a device. While the
/// run keeps to its plan, the device is as short as others leave less of it than that: a run that was planned to fill
/// it is not short of anything.
std::optional<Use> vram_use(const ResourceSnapshot& figures, const PlannedMemory& planned, Thresholds thresholds);

}   // namespace millstream
