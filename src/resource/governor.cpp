#include "resource/governor.h"

#include <algorithm>
#include <utility>

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
double own_share(std::uint64_t own, std::uint64_t expected, std::uint64_t budget, Thresholds thresholds) {
    if (expected == 0 || budget == 0) {
        return 0;
    }
    const auto elevated_bytes = static_cast<std::uint64_t>(thresholds.elevated * static_cast<double>(budget));
    const std::uint64_t harmless = std::max(expected, elevated_bytes);
    if (own <= harmless) {   // below the threshold, however close
        return share_of(own, harmless) * (thresholds.elevated - LevelSwitch::kHysteresis);
    }
    if (own >= budget) {
        return thresholds.critical * share_of(own, budget);
    }
    return thresholds.elevated +
           (thresholds.critical - thresholds.elevated) * share_of(own - harmless, budget - harmless);
}

// Of a device whose memory the run was planned to take most of: how much of what others leave is wanted.
double wanted_share(std::uint64_t expected, std::uint64_t left, Thresholds thresholds) {
    constexpr double kTight = 0.95;
    const double wanted = left == 0 ? 2 : share_of(expected, left);
    if (wanted <= kTight) {
        return wanted * (thresholds.elevated - LevelSwitch::kHysteresis);
    }
    return wanted < 1 ? thresholds.elevated : thresholds.critical * wanted;
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
    consider(own_share(figures.rss_bytes, planned.expected, planned.budget, thresholds),
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

std::optional<Use> vram_use(const ResourceSnapshot& figures, const PlannedMemory& planned, Thresholds thresholds) {
    std::optional<Use> use;
    const auto consider = [&use](double share, std::string words) {
        if (!use || share > use->share) {
            use = Use{share, std::move(words)};
        }
    };
    const bool known = figures.vram_bytes && planned.vram_budget && planned.vram_expected > 0;
    if (figures.vram_used_bytes && figures.vram_total_bytes) {
        const std::uint64_t total = *figures.vram_total_bytes;
        const std::uint64_t used = *figures.vram_used_bytes;
        const std::uint64_t own = known ? std::min(*figures.vram_bytes, used) : 0;
        const std::uint64_t others = std::min(used - own, total);
        const bool as_planned = known && own <= planned.vram_expected;
        consider(as_planned ? wanted_share(planned.vram_expected, total - others, thresholds) : share_of(used, total),
                 in_use(used, total, "of the device's memory"));
    }
    if (figures.vram_bytes && planned.vram_budget) {
        const std::uint64_t own = *figures.vram_bytes;
        consider(known ? own_share(own, planned.vram_expected, *planned.vram_budget, thresholds)
                       : share_of(own, *planned.vram_budget),
                 in_use(own, *planned.vram_budget, "that this run may use of the device"));
    }
    return use;
}

}   // namespace millstream
