// An Enhancer that survives a lack of memory: it does less at a time and computes the same frames again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "enhance/effort.h"
#include "enhance/enhancer.h"
#include "millstream/error.h"
#include "millstream/resources.h"
#include "model/executor.h"

namespace millstream {

/// Note [Back-off] in effort.h. Owns the executor and makes it anew where a step needs it; the network is loaded once.
/// One thread at a time, except where said.
class SteadyEnhancer {
public:
    struct Settings {
        ExecutorSettings executor;   ///< resolved; requests and precision are those of the start
        int scale = 1;               ///< the network's
        Size frame;                  ///< input pixels; what is submitted is no larger
        TileLayout layout;           ///< halo and blend as the network needs them, also where the frame is one tile
        bool may_lower_precision = false;
        bool release_every_frame = false;   ///< give back caches behind each frame
        int quiet_frames = 200;             ///< without a lack of memory, before a step is taken back
    };
    /// What the enhancer needs of its surroundings. All are called on the thread that calls the enhancer.
    struct Surroundings {
        std::function<std::unique_ptr<Executor>(const ExecutorSettings&)> make_executor;
        /// [3,height,width] float32; may fail for lack of memory.
        std::function<at::Tensor(Size)> make_output;
        std::function<void()> release_caches = [] {};
        std::function<PressureLevel()> pressure = [] { return PressureLevel::normal; };
        std::function<void(const BackOff&)> tell = [](const BackOff&) {};
    };
    /// Makes the executor. Throws what that throws, and Error(resource) when it does not fit at the least effort.
    SteadyEnhancer(Settings settings, Surroundings surroundings);
    ~SteadyEnhancer();   ///< waits for what is in flight
    SteadyEnhancer(const SteadyEnhancer&) = delete;
    SteadyEnhancer& operator=(const SteadyEnhancer&) = delete;

    /// As of Enhancer; the output tensor is made here. `input` [3,h,w] float32, contiguous. Each throws Error(resource)
    /// that lists what was tried when memory does not even do for the least effort; then nothing more can be done with
    /// the enhancer. Any other failure of the executor passes through.
    void submit(std::int64_t index, at::Tensor input);
    std::optional<EnhancerFrame> poll();
    std::optional<EnhancerFrame> drain();
    /// Forgets what is in flight. Waits for what the executor is at, and throws nothing of what that throws.
    void drop();

    [[nodiscard]] std::size_t frames_in_flight() const { return pending_.size(); }
    [[nodiscard]] double copies() const { return copies_ + (enhancer_ ? enhancer_->copies() : 0); }
    [[nodiscard]] const Effort& effort() const { return effort_; }
    /// Time inside submit(), poll() and drain(): the network's, as far as the caller had to wait for it.
    [[nodiscard]] double busy_s() const { return busy_s_; }

private:
    template <class Work>
    void survive(const Work& work);
    void rebuild();
    void shut_down();
    void step_down(std::int64_t frame, const Error& shortage);
    void tell(std::int64_t frame, const std::string& measure, const Effort& from, const std::string& why);
    std::optional<EnhancerFrame> hand_out(std::optional<EnhancerFrame> done);
    void frame_done(std::int64_t index);
    void follow_pressure(std::int64_t frame);
    void step_up(std::int64_t frame);
    [[nodiscard]] EffortLimits limits() const;
    [[nodiscard]] Size scaled_size(const at::Tensor& input) const;

    Settings settings_;
    Surroundings surroundings_;
    Effort effort_;
    std::vector<Effort> before_;   // efforts that were given up, the last one at the end
    int quiet_ = 0;                // frames since memory was last short
    int wanted_quiet_;             // that many, and a step is taken back
    std::int64_t last_done_ = -1;
    bool probing_ = false;    // a step has been taken back lately
    bool released_ = false;   // caches have been given back since memory was last plentiful
    PressureLevel seen_ = PressureLevel::normal;
    double busy_s_ = 0;
    double copies_ = 0;                   // of enhancers that are gone
    std::deque<EnhancerFrame> pending_;   // submitted and not handed out, in order; a share of each tensor
    std::unique_ptr<Executor> executor_;
    std::unique_ptr<Enhancer> enhancer_;   // none between a failure and the next try
};

/// Gives memory back that Torch's device allocator and the C library keep for later. Any thread.
void release_caches();

}   // namespace millstream
