#include "enhance/reuse_plan.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "enhance/block_rows.h"
#include "motion/sample_row.h"

namespace millstream {
namespace {

using enum BlockSource;

constexpr float kNothing = 1e-6F;   // what running sums leave of no difference
constexpr int kCell = 8;            // pixels a side: exact comparison
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
constexpr ErrorModel kStillError{0.08F, 0.02F};
constexpr ErrorModel kMovedError{0.4F, 0.01F};

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
    return receptive_radius > kDeep ? 16 : fast ? 6 : 8;
}

int rounded_up(int value, int unit) {
    return (value + unit - 1) / unit * unit;
}

// Which cells of an input differ from those of another.
CellCounts changed_cells(const at::Tensor& now, const at::Tensor& before) {
    const std::int64_t height = now.size(1);
    const std::int64_t width = now.size(2);
    const std::int64_t columns = (width + kCell - 1) / kCell;
    std::vector<std::uint8_t> changed(static_cast<std::size_t>(columns * ((height + kCell - 1) / kCell)));
    for (std::int64_t line = 0; line < 3 * height; ++line) {
        const float* const a = now.const_data_ptr<float>() + line * width;
        const float* const b = before.const_data_ptr<float>() + line * width;
        if (std::memcmp(a, b, static_cast<std::size_t>(width) * sizeof(float)) == 0) {
            continue;
        }
        const std::int64_t first = line % height / kCell * columns;
        for (std::int64_t x = 0; x < width; x += kCell) {
            const auto bytes = static_cast<std::size_t>(std::min<std::int64_t>(kCell, width - x)) * sizeof(float);
            changed[static_cast<std::size_t>(first + x / kCell)] |=
                static_cast<std::uint8_t>(std::memcmp(a + x, b + x, bytes) != 0);
        }
    }
    return {static_cast<int>(columns), changed};
}

// The same on a device, from where a byte a cell is fetched.
CellCounts changed_cells(const at::Tensor& now, const at::Tensor& before, const FetchTensor& fetch) {
    const at::Tensor changed = now.view(at::kInt).ne(before.view(at::kInt)).any(0, true);   // their bits
    const at::Tensor cells =
        fetch(at::max_pool2d(changed.to(at::kFloat), {kCell, kCell}, {}, 0, 1, /*ceil_mode=*/true).to(at::kByte));
    return {static_cast<int>(cells.size(2)),
            {cells.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(cells.numel())}};
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
    settings.still_error = fast ? 7.5F : 4.5F;
    settings.moved_error = fast ? 5.6F : 4.5F;
    settings.still_age = fast ? 96 : 24;
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
    measure_still(input, plan);
    plan.flow = motion.flow;
    const double needed_still = share_needed(plan);
    const bool searched = !plan.flow.defined() && find_flow && may_search(needed_still);
    if (searched) {
        plan.flow = find_flow();
    }
    if (plan.flow.defined() && needed_still > 0) {
        measure_moved(input, plan);
    }
    const double saved = needed_still - share_needed(plan);
    choose_areas(plan);
    if (searched) {
        judge_search(plan.whole ? 0 : saved);
    }
    if (plan.whole) {
        moved_base_.reset();
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
    const CellCounts changed = fetch_ ? changed_cells(input, before_, fetch_) : changed_cells(input, before_);
    before_ = input;
    ReusePlan plan;
    plan.source = BlockGrid<BlockSource>(frame_, still);
    plan.expected = input;
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

void ReusePlanner::measure_still(const at::Tensor& input, ReusePlan& plan) {
    const std::int64_t width = frame_.width;
    const std::int64_t plane = width * frame_.height;
    difference_.resize(static_cast<std::size_t>(plane));
    const auto* now = input.const_data_ptr<float>();
    const auto* base = base_.const_data_ptr<float>();
    for (std::int64_t at = 0; at < plane; at += width) {
        blocks::difference_row(now + at, base + at, plane, width, difference_.data() + at);
    }
    find_peaks(difference_, peak_);
    find_busyness(input);
    for (std::size_t i = 0; i < peak_.values.size(); ++i) {
        const float most = strictness_ * largest_peak(settings_.still_error, kStillError, busy_.values[i]);
        const bool kept =
            peak_.values[i] <= kNothing || (peak_.values[i] <= most && age_.values[i] < settings_.still_age);
        plan.source.values[i] = kept ? still : computed;
    }
}

// Brings base and last input along with the flow where the base does not explain the input as it is.
void ReusePlanner::measure_moved(const at::Tensor& input, ReusePlan& plan) {
    const std::int64_t width = frame_.width;
    const std::int64_t height = frame_.height;
    const std::int64_t plane = width * height;
    plan.expected = before_.clone();
    moved_base_ = base_.clone();
    const auto* now = input.const_data_ptr<float>();
    const auto* flow = plan.flow.const_data_ptr<float>();
    std::vector<float> weight(static_cast<std::size_t>(width));
    const auto bring = [&](const at::Tensor& from, at::Tensor& to, std::int64_t y) {
        auto* const first = to.mutable_data_ptr<float>() + y * width;
        float* const rows[3] = {first, first + plane, first + 2 * plane};
        sample_row({from.const_data_ptr<float>(), height, width}, y, 1, flow + y * width, flow + plane + y * width,
                   weight.data(), rows);
        return first;
    };
    for (std::int64_t y = 0; y < height; ++y) {
        const int row = static_cast<int>(y) / kBlock;
        bool any = false;
        for (std::int64_t x = 0; x < width; ++x) {
            const bool wanted = plan.source.at(static_cast<int>(x) / kBlock, row) == computed;
            weight[static_cast<std::size_t>(x)] = wanted ? 1.0F : 0.0F;
            any |= wanted;
        }
        if (any) {
            bring(before_, plan.expected, y);
            const float* const base = bring(base_, moved_base_, y);
            blocks::difference_row(now + y * width, base, plane, width, difference_.data() + y * width);
        }
    }
    BlockGrid<float> peak;
    find_peaks(difference_, peak);
    const auto steps = steps_;
    const auto age = age_;
    for (int row = 0; row < plan.source.rows; ++row) {
        for (int column = 0; column < plan.source.columns; ++column) {
            const float most = strictness_ * largest_peak(settings_.moved_error, kMovedError, busy_.at(column, row));
            if (plan.source.at(column, row) != computed || peak.at(column, row) > most) {
                continue;
            }
            const int x = std::min(column * kBlock + kBlock / 2, frame_.width - 1);
            const int y = std::min(row * kBlock + kBlock / 2, frame_.height - 1);
            const std::int64_t at = y * width + x;
            const int from_x = static_cast<int>(
                std::clamp(static_cast<float>(x) + flow[at], 0.0F, static_cast<float>(frame_.width - 1)));
            const int from_y = static_cast<int>(
                std::clamp(static_cast<float>(y) + flow[plane + at], 0.0F, static_cast<float>(frame_.height - 1)));
            const int taken = steps.at(from_x / kBlock, from_y / kBlock) + 1;
            const int old = age.at(from_x / kBlock, from_y / kBlock);
            if (taken <= settings_.moved_steps && old < settings_.still_age) {
                plan.source.at(column, row) = moved;
                steps_.at(column, row) = static_cast<std::uint16_t>(taken);
                age_.at(column, row) = static_cast<std::uint16_t>(old);
                peak_.at(column, row) = peak.at(column, row);
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
    if (!plan.expected.defined()) {
        plan.expected = before_.clone();
    }
    at::Tensor base = moved_base_.defined() ? std::exchange(moved_base_, {}) : base_.clone();
    const auto take_input = [&](const Rectangle& block, at::Tensor& to) {
        const std::int64_t width = frame_.width;
        const std::int64_t plane = width * frame_.height;
        for (std::int64_t y = block.top; y < block.bottom; ++y) {
            for (std::int64_t at = y * width + block.left; at < 3 * plane; at += plane) {
                std::copy_n(input.const_data_ptr<float>() + at, block.width(), to.mutable_data_ptr<float>() + at);
            }
        }
    };
    bool any_moved = false;
    for (int row = 0; row < plan.source.rows; ++row) {
        for (int column = 0; column < plan.source.columns; ++column) {
            const BlockSource source = plan.source.at(column, row);
            any_moved |= source == moved;
            if (source == computed) {
                age_.at(column, row) = 0;
                steps_.at(column, row) = 0;
                const Rectangle block = in_pixels({column, row, column + 1, row + 1}, frame_, 0);
                take_input(block, plan.expected);
                take_input(block, base);
            } else if (source == moved || peak_.at(column, row) > kNothing) {
                ++age_.at(column, row);
            }
        }
    }
    if (!any_moved) {
        plan.flow.reset();
    }
    before_ = input;
    base_ = std::move(base);
}

void ReusePlanner::find_busyness(const at::Tensor& input) {
    const std::int64_t width = frame_.width;
    const std::int64_t plane = width * frame_.height;
    const auto* first = input.const_data_ptr<float>();
    busy_ = BlockGrid<float>(frame_, 0);
    for (int y = 0; y < frame_.height; ++y) {
        const auto* const row = first + y * width;
        const auto* const below = y + 1 < frame_.height ? row + width : row;
        blocks::steps_row(row, below, plane, width, &busy_.at(0, y / kBlock));
    }
    for (int row = 0; row < busy_.rows; ++row) {
        for (int column = 0; column < busy_.columns; ++column) {
            const Rectangle block = in_pixels({column, row, column + 1, row + 1}, frame_, 0);
            busy_.at(column, row) *= 255 / static_cast<float>(block.area());
        }
    }
}

void ReusePlanner::find_peaks(const std::vector<float>& differences, BlockGrid<float>& peaks) const {
    const std::int64_t width = frame_.width;
    const std::int64_t height = frame_.height;
    peaks = BlockGrid<float>(frame_, 0);
    std::vector<float> sums(static_cast<std::size_t>(width), 0.0F);
    std::vector<float> work(static_cast<std::size_t>(width) + 8);
    const auto row = [&](std::int64_t y) {
        return differences.data() + std::clamp<std::int64_t>(y, 0, height - 1) * width;
    };
    for (std::int64_t y = -4; y < 4; ++y) {
        blocks::slide_row(row(y), nullptr, width, sums.data());
    }
    for (std::int64_t y = 0; y < height; ++y) {   // sums are of rows y - 4 to y + 3
        blocks::peaks_row(sums.data(), width, work.data(), &peaks.at(0, static_cast<int>(y) / kBlock));
        blocks::slide_row(row(y + 4), row(y - 4), width, sums.data());
    }
    for (float& peak : peaks.values) {
        peak *= 1.0F / 64;
    }
}

double ReusePlanner::share_needed(const ReusePlan& plan) const {
    const auto& values = plan.source.values;
    return static_cast<double>(std::count(values.begin(), values.end(), computed)) / static_cast<double>(values.size());
}

}   // namespace millstream
