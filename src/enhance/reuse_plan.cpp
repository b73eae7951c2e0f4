#include "enhance/reuse_plan.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "enhance/second_try.h"

namespace millstream {
namespace {

using enum BlockSource;

constexpr float kNothing = 1e-6F;   // what running sums leave of no difference
// A search for motion in multiply-adds of a network in fp32 that take as long, a pixel: about 80 ns of one core.
constexpr double kFlowMacs = 5'000;
// What it takes away of the blocks that need to be computed, at best: a seventh of chaplin, a fifth of sowt-with-video.
constexpr double kFlowSaves = 0.25;
constexpr int kLongestPause = 16;   // frames
constexpr float kTightening = 0.7F;
constexpr float kStrictest = 0.3F;
constexpr int kCheckedBlocks = 4;   // a side
// Starting a request, in input pixels of the default network's work.
constexpr std::int64_t kRequestCost = 64;

// Note [Tolerance]
struct ErrorModel {
    float flat;
    float busy;
};
constexpr ErrorModel kStillError{0.02F, 0.03F};
constexpr ErrorModel kMovedError{0.15F, 0.025F};

// How many times faster than in fp32 a network runs, about: measured with the default network, 640x360, on two cores
// with AVX-512 BF16 and VNNI.
double speed_of(Precision precision) {
    return precision == Precision::fp32 ? 1 : precision == Precision::int8 ? 3 : 2;
}

// In 0..1.
float largest_peak(float error, const ErrorModel& model, float busy) {
    return std::sqrt(error / (model.flat + model.busy * busy)) / 255;
}

std::uint64_t scattered(std::int64_t index) {
    std::uint64_t value = (static_cast<std::uint64_t>(index) + 1) * 0x9E3779B97F4A7C15ULL;
    value ^= value >> 29;
    return value * 0xBF58476D1CE4E5B9ULL >> 17;
}

// Note [Halo]
int wanted_halo(int receptive_radius, bool fast) {
    constexpr int kDeep = 48;   // a network that sees farther than that uses it
    return receptive_radius > kDeep ? 16 : fast ? 5 : 8;
}

int rounded_up(int value, int unit) {
    return (value + unit - 1) / unit * unit;
}

}   // namespace

ReuseSettings reuse_settings(Reuse reuse, const Network& network, bool tiles_exact, Precision precision) {
    ReuseSettings settings;
    settings.reach = rounded_up(network.receptive_radius, network.alignment);
    if (reuse == Reuse::exact) {
        settings.exact = true;
        settings.only_repeats = !tiles_exact;
        settings.halo = settings.reach;
        return settings;
    }
    const bool fast = reuse == Reuse::fast;
    settings.still_error = fast ? 12.0F : 4.0F;
    settings.moved_error = fast ? 4.5F : 4.0F;
    settings.still_age = fast ? 96 : 48;
    settings.moved_steps = fast ? 16 : 12;
    settings.halo =
        std::min(settings.reach, rounded_up(wanted_halo(network.receptive_radius, fast), network.alignment));
    settings.fade = settings.halo / 2;
    settings.flow_cost = kFlowMacs * speed_of(precision) / std::max(1.0, network.macs_per_pixel);
    settings.check_every = 16;
    settings.check_most = fast ? 5.0F : 3.5F;
    return settings;
}

ReusePlan ReusePlanner::next(std::int64_t index, const at::Tensor& input, const Motion& motion, bool restart,
                             const FindFlow& find_flow) {
    if (restart) {
        reset();
    }
    if (!before_.defined() || motion.cut) {
        return start(input);
    }
    if (settings_.exact) {
        return plan_exact(input);
    }
    ReusePlan plan;
    plan.source = BlockGrid<BlockSource>(frame_, computed);
    judge_still(input, plan);
    plan.flow = motion.flow;
    const double needed_still = share_needed(plan);
    const bool searched = !plan.flow.defined() && find_flow && may_search(needed_still);
    if (searched) {
        plan.flow = with_second_try(find_flow);
    }
    if (plan.flow.defined() && needed_still > 0) {
        judge_moved(input, plan);
    }
    const double saved = needed_still - share_needed(plan);
    choose_areas(plan);
    if (searched) {
        judge_search(plan.whole ? 0 : saved);
    }
    if (plan.whole) {
        moved_base_.reset();
        moved_before_.reset();
        return start(input);
    }
    choose_check(index, plan);
    remember(input, plan);
    return plan;
}

// Note [Pauses]
bool ReusePlanner::may_search(double needed) {
    if (needed * kFlowSaves <= settings_.flow_cost) {
        return false;
    }
    if (paused_ > 0) {
        --paused_;
        return false;
    }
    return true;
}

void ReusePlanner::judge_search(double saved) {
    const bool in_vain = saved < settings_.flow_cost;
    pause_ = in_vain ? std::clamp(2 * pause_, 1, kLongestPause) : 0;
    paused_ = pause_;
}

bool ReusePlanner::checked(double error) {
    if (error <= settings_.check_most || strictness_ <= kStrictest) {
        return false;
    }
    strictness_ = std::max(strictness_ * kTightening, kStrictest);
    return true;
}

void ReusePlanner::reset() {
    before_.reset();
    base_.reset();
    strictness_ = 1;
    pause_ = 0;
    paused_ = 0;
}

std::int64_t ReusePlanner::computed_pixels(const ReusePlan& plan) const {
    if (plan.whole) {
        return std::int64_t{frame_.width} * frame_.height;
    }
    std::int64_t sum = 0;
    for (const Rectangle& area : plan.areas) {
        sum += in_pixels(area, frame_, settings_.halo).area();
    }
    return sum;
}

ReusePlan ReusePlanner::start(const at::Tensor& input) {
    before_ = input;
    base_ = input;
    age_ = BlockGrid<std::uint16_t>(frame_, 0);
    steps_ = BlockGrid<std::uint16_t>(frame_, 0);
    return {};
}

ReusePlan ReusePlanner::plan_exact(const at::Tensor& input) {
    const CellCounts changed = with_second_try([&] { return measures_->changed_cells(input, before_); });
    before_ = input;
    ReusePlan plan;
    plan.source = BlockGrid<BlockSource>(frame_, still);
    constexpr int kCell = BlockMeasures::kCell;
    constexpr int kCells = kBlock / kCell;
    const int around = (settings_.reach + kCell - 1) / kCell;
    const int everywhere = std::max(frame_.width, frame_.height);
    const int far = settings_.only_repeats ? everywhere : around;
    for (int row = 0; row < plan.source.rows; ++row) {
        for (int column = 0; column < plan.source.columns; ++column) {
            const Rectangle near{column * kCells - far, row * kCells - far, (column + 1) * kCells + far,
                                 (row + 1) * kCells + far};
            if (changed.in(near) > 0) {
                plan.source.at(column, row) = computed;
            }
        }
    }
    choose_areas(plan);
    return plan.whole ? start(input) : plan;
}

void ReusePlanner::judge_still(const at::Tensor& input, ReusePlan& plan) {
    BlockMeasures::Still measured = with_second_try([&] { return measures_->still(input, base_); });
    peak_ = std::move(measured.peak);
    busy_ = std::move(measured.busy);
    for (std::size_t i = 0; i < peak_.values.size(); ++i) {
        const float most = strictness_ * largest_peak(settings_.still_error, kStillError, busy_.values[i]);
        const bool kept =
            peak_.values[i] <= kNothing || (peak_.values[i] <= most && age_.values[i] < settings_.still_age);
        plan.source.values[i] = kept ? still : computed;
    }
}

// Brings along with the flow what is known of the last frame where the base does not explain the input as it is.
void ReusePlanner::judge_moved(const at::Tensor& input, ReusePlan& plan) {
    BlockMeasures::Moved measured =
        with_second_try([&] { return measures_->moved(input, before_, base_, plan.flow, plan.source); });
    moved_before_ = std::move(measured.before);
    moved_base_ = std::move(measured.base);
    const auto steps = steps_;
    const auto age = age_;
    for (int row = 0; row < plan.source.rows; ++row) {
        for (int column = 0; column < plan.source.columns; ++column) {
            const float peak = measured.peak.at(column, row);
            const float most = strictness_ * largest_peak(settings_.moved_error, kMovedError, busy_.at(column, row));
            if (plan.source.at(column, row) != computed || peak > most) {
                continue;
            }
            const auto from = [](int block, float flow, int length) {
                const int middle = std::min(block * kBlock + kBlock / 2, length - 1);
                const float place = static_cast<float>(middle) + flow;
                return static_cast<int>(std::clamp(place, 0.0F, static_cast<float>(length - 1))) / kBlock;
            };
            const int from_column = from(column, measured.flow_x.at(column, row), frame_.width);
            const int from_row = from(row, measured.flow_y.at(column, row), frame_.height);
            const int taken = steps.at(from_column, from_row) + 1;
            const int old = age.at(from_column, from_row);
            if (taken <= settings_.moved_steps && old < settings_.still_age) {
                plan.source.at(column, row) = moved;
                steps_.at(column, row) = static_cast<std::uint16_t>(taken);
                age_.at(column, row) = static_cast<std::uint16_t>(old);
                peak_.at(column, row) = peak;
            }
        }
    }
}

void ReusePlanner::choose_areas(ReusePlan& plan) {
    plan.whole = true;
    if (share_needed(plan) > settings_.worth) {
        return;
    }
    BlockGrid<std::uint8_t> needed(frame_, 0);
    for (std::size_t i = 0; i < needed.values.size(); ++i) {
        needed.values[i] = plan.source.values[i] == computed ? 1 : 0;
    }
    plan.areas = cover(needed, {frame_, settings_.halo, kRequestCost});
    // Results are taken in order, and only so many requests wait: a large one among the last would leave the others
    // idle. Cores busy with eight in flight, by simulation: chaplin 0.96 instead of 0.87, bbb_480p_30s 0.99 instead of
    // 0.86.
    std::stable_sort(plan.areas.begin(), plan.areas.end(),
                     [](const Rectangle& a, const Rectangle& b) { return a.area() > b.area(); });
    plan.whole = false;
    const double pixels = static_cast<double>(frame_.width) * frame_.height;
    if (static_cast<double>(computed_pixels(plan)) > settings_.worth * pixels) {
        plan.whole = true;
        return;
    }
    for (const Rectangle& area : plan.areas) {
        for (int row = area.top; row < area.bottom; ++row) {
            for (int column = area.left; column < area.right; ++column) {
                plan.source.at(column, row) = computed;
            }
        }
    }
}

// A square around one of the blocks that are reused and have changed at all.
void ReusePlanner::choose_check(std::int64_t index, ReusePlan& plan) const {
    if (settings_.check_every == 0 || index % settings_.check_every != settings_.check_every / 2) {
        return;
    }
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < peak_.values.size(); ++i) {
        if (plan.source.values[i] != computed && peak_.values[i] > kNothing) {
            candidates.push_back(i);
        }
    }
    if (candidates.empty()) {
        return;
    }
    const auto chosen = static_cast<int>(candidates[scattered(index) % candidates.size()]);
    const int left = std::clamp(chosen % peak_.columns - 1, 0, std::max(peak_.columns - kCheckedBlocks, 0));
    const int top = std::clamp(chosen / peak_.columns - 1, 0, std::max(peak_.rows - kCheckedBlocks, 0));
    plan.check = {left, top, std::min(left + kCheckedBlocks, peak_.columns),
                  std::min(top + kCheckedBlocks, peak_.rows)};
}

// What the next frame is compared with.
void ReusePlanner::remember(const at::Tensor& input, ReusePlan& plan) {
    const auto copy_of = [](const at::Tensor& of) { return with_second_try([&] { return of.clone(); }); };
    at::Tensor before = moved_before_.defined() ? std::exchange(moved_before_, {}) : copy_of(before_);
    at::Tensor base = moved_base_.defined() ? std::exchange(moved_base_, {}) : copy_of(base_);
    plan.source_there = with_second_try([&] { return measures_->take_computed(plan.source, input, before, base); });
    bool any_moved = false;
    for (std::size_t i = 0; i < plan.source.values.size(); ++i) {
        const BlockSource source = plan.source.values[i];
        any_moved |= source == moved;
        if (source == computed) {
            age_.values[i] = 0;
            steps_.values[i] = 0;
        } else if (source == moved || peak_.values[i] > kNothing) {
            ++age_.values[i];
        }
    }
    if (!any_moved) {
        plan.flow.reset();
    }
    before_ = with_second_try([&] { return measures_->seen(input, base, busy_); });
    base_ = std::move(base);
    plan.added = before.neg_().add_(before_);
}

double ReusePlanner::share_needed(const ReusePlan& plan) const {
    const auto& values = plan.source.values;
    return static_cast<double>(std::count(values.begin(), values.end(), computed)) / static_cast<double>(values.size());
}

}   // namespace millstream
