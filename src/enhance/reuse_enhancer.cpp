#include "enhance/reuse_enhancer.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>

#include "enhance/second_try.h"

namespace millstream {
namespace {

double pixels_of(Size size) {
    return static_cast<double>(size.width) * size.height;
}

// Of whole blocks; the frame's full width.
std::vector<Rectangle> cut_strips(Size frame, int count) {
    const int rows = (frame.height + kBlock - 1) / kBlock;
    std::vector<Rectangle> strips;
    for (int i = 0; i < count; ++i) {
        const int top = rows * i / count * kBlock;
        const int bottom = i + 1 < count ? rows * (i + 1) / count * kBlock : frame.height;
        strips.push_back({0, top, frame.width, bottom});
    }
    return strips;
}

Rectangle with_rows_around(const Rectangle& strip, int rows, int height) {
    return {strip.left, std::max(0, strip.top - rows), strip.right, std::min(height, strip.bottom + rows)};
}

}   // namespace

int strips_for(int requests, Size frame, int reach) {
    constexpr int kReaches = 6;   // then at most a third more is computed
    const int most = frame.height / std::max(kBlock, kReaches * reach);
    return std::clamp(most, 1, requests);
}

std::uint64_t reuse_work_there(Size frame, int scale) {
    constexpr std::uint64_t kSearch = 240;    // bytes an input pixel: the search for motion, most of it
    constexpr std::uint64_t kTogether = 48;   // bytes an output pixel of the rows at hand
    const auto width = static_cast<std::uint64_t>(frame.width);
    const auto rows = static_cast<std::uint64_t>(std::min(frame.height, kRowsTogether * kBlock));
    return width * static_cast<std::uint64_t>(frame.height) * kSearch +
           width * rows * static_cast<std::uint64_t>(scale * scale) * kTogether;
}

ReuseEnhancer::ReuseEnhancer(Settings settings, SteadyEnhancer& network, std::function<at::Tensor()> make_output)
    : settings_(std::move(settings)), network_(network), make_output_(std::move(make_output)) {
    if (settings_.reuse) {
        planner_.emplace(*settings_.reuse, settings_.frame, settings_.ways);
        if (settings_.strips > 1) {
            strips_ = cut_strips(settings_.frame, settings_.strips);
        }
    }
}

void ReuseEnhancer::submit(std::int64_t index, at::Tensor input, const Motion& motion, bool restart,
                           const FindFlow& find_flow) {
    finish_checks();   // what they find counts from this frame on, in whatever order results come
    Pending frame{.index = index, .input = std::move(input), .plan = {}, .open = 0, .results = {}};
    if (planner_) {
        frame.plan = planner_->next(index, frame.input, motion, restart, find_flow);
    }
    count(frame.plan);
    frame.open = frame.plan.whole ? std::max<std::size_t>(1, strips_.size())
                                  : frame.plan.areas.size() + (frame.plan.check ? 1 : 0);
    pending_.push_back(std::move(frame));
    submit_areas(pending_.back());
}

void ReuseEnhancer::submit_areas(Pending& frame) {
    if (frame.plan.whole && !strips_.empty()) {
        for (const Rectangle& strip : strips_) {
            submit_area(frame, with_rows_around(strip, settings_.reuse->reach, settings_.frame.height));
        }
        return;
    }
    if (frame.plan.whole) {
        at::Tensor input = planner_ ? frame.input : std::exchange(frame.input, {});
        network_.submit(frame.index, std::move(input));
        return;
    }
    const int halo = settings_.reuse->halo;
    for (const Rectangle& area : frame.plan.areas) {
        submit_area(frame, in_pixels(area, settings_.frame, halo));
    }
    if (frame.plan.check) {
        submit_area(frame, in_pixels(*frame.plan.check, settings_.frame, halo));
    }
}

void ReuseEnhancer::submit_area(const Pending& frame, const Rectangle& pixels) {
    copies_ += static_cast<double>(pixels.area()) / pixels_of(settings_.frame);
    network_.submit(frame.index, with_second_try([&] {
                        return frame.input.narrow(1, pixels.top, pixels.height())
                            .narrow(2, pixels.left, pixels.width())
                            .contiguous();
                    }));
}

// Results come in the order of what was submitted.
void ReuseEnhancer::take(EnhancerFrame result) {
    const auto waiting =
        std::find_if(pending_.begin(), pending_.end(), [](const Pending& frame) { return frame.open > 0; });
    waiting->results.push_back(std::move(result.output));
    if (waiting->plan.whole && !planner_) {
        waiting->input = std::move(result.input);
    }
    --waiting->open;
}

void ReuseEnhancer::finish_complete() {
    while (!pending_.empty() && pending_.front().open == 0) {
        finish(pending_.front());
        pending_.pop_front();
    }
}

void ReuseEnhancer::finish(Pending& frame) {
    EnhancerFrame done{frame.index, {}, {}};
    if (frame.plan.whole) {
        done.output = strips_.empty() ? std::move(frame.results.front())
                                      : with_second_try([&] { return joined_strips(frame.results); });
    } else {
        done.output = with_second_try(make_output_);
        with_second_try([&] { put_together(frame, done.output); });
        if (frame.plan.check) {
            check(frame, done.output);
        }
    }
    if (planner_) {   // a copy: what comes behind works in place
        if (!last_.defined() || last_.sizes() != done.output.sizes()) {
            last_ = with_second_try([&] { return at::empty_like(done.output); });
        }
        last_.copy_(done.output);
    }
    done.input = std::move(frame.input);
    done_.push_back(std::move(done));
}

void ReuseEnhancer::put_together(const Pending& frame, at::Tensor& output) {
    const TransferInputs inputs{frame.plan, frame.input, last_, frame.results};
    if (settings_.ways) {
        put_together_there(inputs, *settings_.reuse, output);
        return;
    }
    if (at::get_num_threads() != settings_.threads) {
        at::set_num_threads(settings_.threads);   // of the calling thread
    }
    millstream::put_together(inputs, *settings_.reuse, output);
}

void ReuseEnhancer::check(const Pending& frame, const at::Tensor& output) {
    const at::Tensor& result = frame.results.back();
    const double error = with_second_try([&] {
        return settings_.ways ? check_error_there(frame.plan, *settings_.reuse, output, result, settings_.ways)
                              : check_error(frame.plan, *settings_.reuse, output, result);
    });
    ++counts_.checks;
    counts_.check_errors += error;
    counts_.worst_error = std::max(counts_.worst_error, error);
    counts_.tightened += planner_->checked(error) ? 1 : 0;
}

at::Tensor ReuseEnhancer::joined_strips(const std::vector<at::Tensor>& results) const {
    at::Tensor output = make_output_();
    const std::int64_t scale = output.size(1) / settings_.frame.height;
    for (std::size_t i = 0; i < strips_.size(); ++i) {
        const Rectangle& strip = strips_[i];
        const int above = strip.top - with_rows_around(strip, settings_.reuse->reach, settings_.frame.height).top;
        output.narrow(1, strip.top * scale, strip.height() * scale)
            .copy_(results[i].narrow(1, above * scale, strip.height() * scale));
    }
    return output;
}

void ReuseEnhancer::finish_checks() {
    const auto checks = [](const Pending& frame) { return frame.plan.check.has_value(); };
    while (std::any_of(pending_.begin(), pending_.end(), checks)) {
        if (auto result = network_.drain()) {
            take(*std::move(result));
        }
        finish_complete();
    }
}

std::optional<EnhancerFrame> ReuseEnhancer::poll() {
    while (auto result = network_.poll()) {
        take(*std::move(result));
    }
    finish_complete();
    if (done_.empty()) {
        return std::nullopt;
    }
    EnhancerFrame frame = std::move(done_.front());
    done_.pop_front();
    return frame;
}

std::optional<EnhancerFrame> ReuseEnhancer::drain() {
    while (done_.empty() && !pending_.empty()) {
        finish_complete();
        if (!done_.empty()) {
            break;
        }
        if (auto result = network_.drain()) {
            take(*std::move(result));
        }
    }
    return poll();
}

void ReuseEnhancer::reset() {
    if (planner_) {
        planner_->reset();
    }
}

void ReuseEnhancer::drop() {
    network_.drop();
    pending_.clear();
    done_.clear();
    reset();
}

void ReuseEnhancer::count(const ReusePlan& plan) {
    ++counts_.frames;
    counts_.whole_frames += plan.whole ? 1 : 0;
    if (!planner_ || plan.whole) {
        counts_.computed_frames += 1;
        for (const Rectangle& strip : strips_) {   // what is around them
            const Rectangle read = with_rows_around(strip, settings_.reuse->reach, settings_.frame.height);
            counts_.computed_frames += static_cast<double>(read.area() - strip.area()) / pixels_of(settings_.frame);
        }
        return;
    }
    std::int64_t pixels = planner_->computed_pixels(plan);
    if (plan.check) {
        pixels += in_pixels(*plan.check, settings_.frame, settings_.reuse->halo).area();
    }
    counts_.computed_frames += static_cast<double>(pixels) / pixels_of(settings_.frame);
}

}   // namespace millstream
