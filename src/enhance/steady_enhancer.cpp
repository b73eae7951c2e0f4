#include "enhance/steady_enhancer.h"

#include <ATen/DeviceAccelerator.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "base/cpu.h"
#include "millstream/error.h"
#include "model/executor_error.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace millstream {
namespace {

constexpr int kMostQuietFrames = 10'000;
// Under critical pressure the effect of one step is waited for before the next.
constexpr int kSettleFrames = 8;
constexpr const char* kDoing = "enhancing a frame";

// Adds the time it exists to `sum`.
class Stopwatch {
public:
    explicit Stopwatch(double& sum) : sum_(sum) {}
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    ~Stopwatch() { sum_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

private:
    using Clock = std::chrono::steady_clock;
    double& sum_;
    Clock::time_point start_ = Clock::now();
};

// The exception in flight, where it says that memory ran out; else it goes on.
Error shortage_in_flight() {
    try {
        throw_executor_error(std::current_exception(), kDoing, "");
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::resource) {
            throw;
        }
        return error;
    }
}

std::optional<Precision> lower_precision(const ExecutorSettings& settings) {
    if (settings.precision != Precision::fp32) {
        return std::nullopt;
    }
    ExecutorSettings lower = settings;
    lower.precision = Precision::automatic;   // what the hardware has
    resolve_backend(lower);
    if (lower.precision == Precision::fp32 && (lower.backend == Backend::torch || cpu_has_bf16())) {
        lower.precision = Precision::bf16;   // slower, on Torch perhaps in software, but in half the memory
    }
    return lower.precision == Precision::fp32 ? std::nullopt : std::optional(lower.precision);
}

}   // namespace

SteadyEnhancer::SteadyEnhancer(Settings settings, Surroundings surroundings)
    : settings_(std::move(settings)),
      surroundings_(std::move(surroundings)),
      effort_{settings_.executor.requests, settings_.layout, settings_.executor.precision, false},
      wanted_quiet_(settings_.quiet_frames) {
    survive([] {});
}

SteadyEnhancer::~SteadyEnhancer() = default;

EffortLimits SteadyEnhancer::limits() const {
    return {settings_.frame, settings_.may_lower_precision ? lower_precision(settings_.executor) : std::nullopt};
}

Size SteadyEnhancer::scaled_size(const at::Tensor& input) const {
    return {static_cast<int>(input.size(2)) * settings_.scale, static_cast<int>(input.size(1)) * settings_.scale};
}

// Does `work` with a living enhancer that has been given every pending frame, again and again with less effort.
template <class Work>
void SteadyEnhancer::survive(const Work& work) {
    for (;;) {
        std::optional<Error> shortage;
        try {
            if (!enhancer_) {
                rebuild();
            }
            work();
            return;
        } catch (...) {
            try {
                shortage = shortage_in_flight();
            } catch (...) {
                shut_down();
                throw;
            }
        }
        shut_down();
        step_down(pending_.empty() ? 0 : pending_.front().index, *shortage);
    }
}

void SteadyEnhancer::shut_down() {
    copies_ += enhancer_ ? enhancer_->copies() : 0;
    enhancer_.reset();   // waits: nobody writes into the outputs any more
}

void SteadyEnhancer::drop() {
    shut_down();
    pending_.clear();
}

void SteadyEnhancer::rebuild() {
    ExecutorSettings wanted = settings_.executor;
    wanted.requests = effort_.requests;
    const bool all = effort_.requests == settings_.executor.requests && effort_.layout.tile == settings_.layout.tile;
    wanted.waiting = all ? wanted.waiting : 0;   // a slot may hold a tile's input and output
    wanted.precision = effort_.precision;
    if (!executor_) {
        executor_ = surroundings_.make_executor(wanted);
    }
    enhancer_ = std::make_unique<Enhancer>(*executor_, settings_.scale, effort_.layout);
    for (const EnhancerFrame& frame : pending_) {
        enhancer_->submit(frame);
    }
}

void SteadyEnhancer::step_down(std::int64_t frame, const Error& shortage) {
    const std::string why = shortage.context().why;
    wanted_quiet_ = probing_ ? std::min(2 * wanted_quiet_, kMostQuietFrames) : wanted_quiet_;
    probing_ = false;
    quiet_ = 0;
    executor_.reset();   // what it keeps for later is the first cache to go
    surroundings_.release_caches();
    if (!std::exchange(released_, true)) {
        tell(frame, "release caches", effort_, why);
        return;
    }
    const std::optional<EffortStep> step = less(effort_, limits());
    if (!step) {
        std::string tried = "caches were given back";
        if (!before_.empty()) {
            tried += ", and " + words(before_.front()) + " became " + words(effort_);
        }
        const bool there = !settings_.executor.links.empty();   // the device's memory, most likely
        throw Error(ErrorKind::resource, {kDoing, "frame " + std::to_string(frame), why + "; what was tried: " + tried,
                                          std::string("Close other programs, or use a smaller ") +
                                              (there ? "--max-vram" : "--max-memory") + ", --tile, --scale or model"});
    }
    before_.push_back(std::exchange(effort_, step->effort));
    tell(frame, step->measure, before_.back(), why);
}

void SteadyEnhancer::tell(std::int64_t frame, const std::string& measure, const Effort& from, const std::string& why) {
    BackOff back_off{.frame = frame, .measure = measure, .from = {}, .to = {}, .why = why};
    if (!(from == effort_)) {
        back_off.from = words(from);
        back_off.to = words(effort_);
    }
    surroundings_.tell(back_off);
}

void SteadyEnhancer::submit(std::int64_t index, at::Tensor input) {
    const Stopwatch watch(busy_s_);
    follow_pressure(index);
    at::Tensor output;
    survive([&] {
        if (!output.defined()) {
            output = surroundings_.make_output(scaled_size(input));
        }
    });
    pending_.push_back({index, std::move(input), std::move(output)});
    bool submitted = false;   // a rebuilt enhancer has been given the frame with the others
    survive([&] {
        if (!std::exchange(submitted, true)) {
            enhancer_->submit(pending_.back());
        }
    });
}

std::optional<EnhancerFrame> SteadyEnhancer::poll() {
    const Stopwatch watch(busy_s_);
    return hand_out(enhancer_ ? enhancer_->poll() : std::nullopt);
}

std::optional<EnhancerFrame> SteadyEnhancer::drain() {
    const Stopwatch watch(busy_s_);
    std::optional<EnhancerFrame> done;
    survive([&] { done = enhancer_->drain(); });
    return hand_out(std::move(done));
}

std::optional<EnhancerFrame> SteadyEnhancer::hand_out(std::optional<EnhancerFrame> done) {
    if (done) {
        pending_.pop_front();   // both are in order
        frame_done(done->index);
    }
    return done;
}

void SteadyEnhancer::frame_done(std::int64_t index) {
    if (settings_.release_every_frame) {
        surroundings_.release_caches();
    }
    const bool another = std::exchange(last_done_, index) != index;   // a frame may come in parts
    if (!another || ++quiet_ < wanted_quiet_) {
        return;
    }
    quiet_ = 0;
    released_ = false;
    probing_ = false;
    if (surroundings_.pressure() == PressureLevel::normal) {
        step_up(index);
    }
}

// The last step that is not one of precision is taken back; the executor is made anew with the next frame.
void SteadyEnhancer::step_up(std::int64_t frame) {
    if (before_.empty()) {
        return;
    }
    Effort next = before_.back();
    before_.pop_back();
    next.precision = effort_.precision;
    if (next == effort_) {   // the step was the one of precision
        step_up(frame);
        return;
    }
    const Effort from = std::exchange(effort_, next);
    probing_ = true;
    shut_down();
    executor_.reset();
    BackOff back{.frame = frame, .measure = "taken back", .from = words(from), .to = words(effort_), .why = {}};
    back.why = "no lack of memory for " + std::to_string(wanted_quiet_) + " frames";
    surroundings_.tell(back);
}

void SteadyEnhancer::follow_pressure(std::int64_t frame) {
    const PressureLevel level = surroundings_.pressure();
    const bool risen = level > seen_;
    seen_ = level;
    if (level == PressureLevel::normal) {
        return;
    }
    if (risen) {
        surroundings_.release_caches();
    }
    const bool due = level == PressureLevel::critical && (risen || quiet_ >= kSettleFrames);
    const std::optional<EffortStep> step = due ? less(effort_, limits(), Shortage::pressure) : std::nullopt;
    if (risen && !step) {
        tell(frame, "release caches", effort_, "a threshold was passed");
    }
    if (!step) {
        return;
    }
    quiet_ = 0;
    before_.push_back(std::exchange(effort_, step->effort));
    tell(frame, step->measure, before_.back(), "memory or VRAM is above the critical threshold");
    shut_down();
    executor_.reset();
}

void release_caches() {
    if (at::getAccelerator().has_value() && at::accelerator::deviceCount() > 0) {
        at::accelerator::emptyCache();
        at::accelerator::emptyHostCache();
    }
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

}   // namespace millstream
