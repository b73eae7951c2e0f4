#include "resource/governor.h"

#include <algorithm>

#include "base/bytes.h"

namespace millstream {
namespace {

double share_of(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string in_use(std::uint64_t part, std::uint64_t whole, const std::string& of) {
    return format_bytes(part) + " of the " + format_bytes(whole) + " " + of + " are in use";
}

// Note [Own use]
// A plan fills its budget where that makes the run faster, so a share of the budget alone says nothing: the run may be
// at 95 % by intention. Nor does a run press on anything that needs more than planned of a budget it hardly touches.
// What counts is both: more than planned and more than the elevated share of the budget. From there to the whole budget
// the share grows from the elevated threshold to the critical one, and beyond in proportion.
double own_share(std::uint64_t rss, const PlannedMemory& planned, Thresholds thresholds) {
    if (planned.expected == 0 || planned.budget == 0) {
        return 0;
    }
    const auto elevated_bytes = static_cast<std::uint64_t>(thresholds.elevated * static_cast<double>(planned.budget));
    const std::uint64_t harmless = std::max(planned.expected, elevated_bytes);
    if (rss <= harmless) {   // below the threshold, however close
        return share_of(rss, harmless) * (thresholds.elevated - LevelSwitch::kHysteresis);
    }
    if (rss >= planned.budget) {
        return thresholds.critical * share_of(rss, planned.budget);
    }
    return thresholds.elevated +
           (thresholds.critical - thresholds.elevated) * share_of(rss - harmless, planned.budget - harmless);
}

}   // namespace

bool LevelSwitch::update(double share) {
    const PressureLevel before = level_;
    const auto reached = share >= thresholds_.critical   ? PressureLevel::critical
                         : share >= thresholds_.elevated ? PressureLevel::elevated
                                                         : PressureLevel::normal;
    const auto held = share >= thresholds_.critical - kHysteresis   ? PressureLevel::critical
                      : share >= thresholds_.elevated - kHysteresis ? PressureLevel::elevated
                                                                    : PressureLevel::normal;
    level_ = reached > before ? reached : held < before ? held : before;
    return level_ != before;
}

Use memory_use(const ResourceSnapshot& figures, const PlannedMemory& planned, Thresholds thresholds) {
    Use use;
    const auto consider = [&use](double share, const std::string& words) {
        if (share >= use.share) {
            use = {share, words};
        }
    };
    consider(own_share(figures.rss_bytes, planned, thresholds),
             "this run uses " + format_bytes(figures.rss_bytes) + "; it was planned to use " +
                 format_bytes(planned.expected) + " of a budget of " + format_bytes(planned.budget));
    if (figures.memory_total_bytes > figures.memory_available_bytes) {
        const std::uint64_t used = figures.memory_total_bytes - figures.memory_available_bytes;
        consider(share_of(used, figures.memory_total_bytes),
                 in_use(used, figures.memory_total_bytes, "of this machine"));
    }
    if (figures.cgroup_used_bytes && figures.cgroup_limit_bytes) {
        consider(share_of(*figures.cgroup_used_bytes, *figures.cgroup_limit_bytes),
                 in_use(*figures.cgroup_used_bytes, *figures.cgroup_limit_bytes, "of this container"));
    }
    return use;
}

std::optional<Use> vram_use(const ResourceSnapshot& figures, const PlannedMemory& planned) {
    std::optional<Use> use;
    if (figures.vram_used_bytes && figures.vram_total_bytes) {
        use = Use{share_of(*figures.vram_used_bytes, *figures.vram_total_bytes),
                  in_use(*figures.vram_used_bytes, *figures.vram_total_bytes, "of the device's memory")};
    }
    if (figures.vram_bytes && planned.vram_budget) {
        const double share = share_of(*figures.vram_bytes, *planned.vram_budget);
        if (!use || share > use->share) {
            use = Use{share, in_use(*figures.vram_bytes, *planned.vram_budget, "that this run may use of the device")};
        }
    }
    return use;
}

}   // namespace millstream
