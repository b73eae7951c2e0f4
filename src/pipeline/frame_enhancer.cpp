#include <ATen/Parallel.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include <deque>
#include <string>
#include <utility>

#include "base/cpu.h"
#include "enhance/colour_fix.h"
#include "enhance/cost_model.h"
#include "enhance/reuse_enhancer.h"
#include "enhance/steady_enhancer.h"
#include "millstream/error.h"
#include "model/device.h"
#include "model/executor.h"
#include "model/network.h"
#include "motion/estimator.h"
#include "motion/motion_on_demand.h"
#include "pipeline/memory_plan.h"
#include "pipeline/output_size.h"
#include "pipeline/temporal_stages.h"
#include "pipeline/video_frame.h"
#include "resource/memory.h"
#include "temporal/lock.h"

namespace millstream {
namespace {

// Torch's number of threads is the calling program's own affair: it is as before when this goes.
class TorchThreads {
public:
    explicit TorchThreads(int threads) : before_(at::get_num_threads()) {
        if (threads != before_) {
            at::set_num_threads(threads);
        }
    }
    TorchThreads(const TorchThreads&) = delete;
    TorchThreads& operator=(const TorchThreads&) = delete;
    ~TorchThreads() {
        if (at::get_num_threads() != before_) {
            at::set_num_threads(before_);
        }
    }

private:
    int before_;
};

void check(const Options& options) {
    if (options.precision == Precision::int8) {
        throw Error(ErrorKind::usage,
                    {"preparing to enhance frames", "precision int8",
                     "the network is fitted to integers on pictures of a whole video, which a stream of "
                     "frames does not have",
                     "Enhance the file, or leave the precision out"});
    }
    if (options.scale < 1 || options.scale > 4) {
        throw Error(ErrorKind::usage, {"preparing to enhance frames", "", "the scale must be 1, 2, 3 or 4", ""});
    }
    if (options.size && options.fit) {
        throw Error(ErrorKind::usage, {"preparing to enhance frames", "", "size and fit are both given",
                                       "Give one of them: size is exact, fit keeps the shape"});
    }
}

ExecutorSettings executor_settings(const Options& options, const std::vector<DeviceInfo>& devices) {
    ExecutorSettings settings;
    settings.device = words(devices);
    settings.backend = options.backend;
    settings.precision = options.precision;
    settings.threads = options.threads > 0 ? options.threads : usable_cpus();
    resolve_backend(settings);
    return settings;
}

}   // namespace

// A network, and what has been made for the size of the frames that come now.
struct FrameEnhancer::State {
    explicit State(const Options& asked)
        : options(asked),
          model(load_model(options.model, options.scale)),
          devices(choose_devices(options.device, options.backend, find_devices(options.device))),
          settings(executor_settings(options, devices)) {
        check(options);
        if (auto sentence = limit_devices(settings, vram_budget(options, devices))) {
            notes.push_back(*std::move(sentence));
        }
    }

    struct Waiting {
        VideoFrame frame;
        Motion motion;
    };

    Options options;
    LoadedModel model;
    std::vector<DeviceInfo> devices;
    ExecutorSettings settings;
    std::shared_ptr<FrameOrigin> origin;        // of what comes out
    Size size{};                                // of what goes in
    std::unique_ptr<TensorPool> network_pool;   // where the network's size is not the one asked for
    std::vector<std::string> notes;
    std::vector<BackOff> back_offs;
    std::unique_ptr<SteadyEnhancer> network;
    std::unique_ptr<ReuseEnhancer> enhancer;
    std::unique_ptr<ColourFix> colour_fix;
    std::unique_ptr<MotionEstimator> motion;
    std::unique_ptr<MotionOnDemand> rare_motion;   // where only reuse asks for it
    std::unique_ptr<TemporalLock> lock;
    std::deque<Waiting> waiting;
    std::deque<VideoFrame> done;        // finished to make room, or because the size changed
    std::size_t frames_in_flight = 0;   // at most, when a frame has been taken in

    void prepare(Size frame) {
        if (frame == size) {
            return;
        }
        finish_but(0);
        const int scale = model.network.scale;
        const MemoryChoice choice = plan(frame);
        frames_in_flight = choice.frames_in_flight;
        enhancer.reset();
        network.reset();
        network = std::make_unique<SteadyEnhancer>(network_settings(frame, choice), surroundings());
        ReuseEnhancer::Settings reuse{{}, frame, settings.threads};
        if (reuses()) {
            const bool exact_tiles = choice.layout.tile == frame || choice.halo >= model.network.receptive_radius;
            reuse.reuse = reuse_settings(options.reuse, model.network, exact_tiles, settings.precision);
            if (choice.layout.tile == frame) {
                reuse.strips = strips_for(choice.requests, frame, reuse.reuse->reach);
            }
        }
        enhancer = std::make_unique<ReuseEnhancer>(reuse, *network, [this] { return take_output(); });
        colour_fix = std::make_unique<ColourFix>(scale);
        const Size wanted = asked_size(frame);
        origin = std::make_shared<FrameOrigin>(wanted);
        network_pool.reset();
        if (!(wanted == Size{frame.width * scale, frame.height * scale})) {
            network_pool = std::make_unique<TensorPool>(
                std::vector<std::int64_t>{3, std::int64_t{frame.height} * scale, std::int64_t{frame.width} * scale});
        }
        size = frame;
        forget();
    }

    [[nodiscard]] Size asked_size(Size frame) const {
        if (options.fit) {
            return fitted(frame.width, frame.height, *options.fit);
        }
        return options.size.value_or(Size{frame.width * options.scale, frame.height * options.scale});
    }

    [[nodiscard]] bool reuses() const { return options.reuse != Reuse::off && reuse_pays(model.network); }

    at::Tensor take_output() { return network_pool ? network_pool->take() : origin->take_planar(); }

    [[nodiscard]] SteadyEnhancer::Settings network_settings(Size frame, const MemoryChoice& choice) {
        settings.requests = choice.requests;
        settings.any_shape = reuses();
        settings.waiting = reuses() && choice.layout.tile == frame ? kWaitingAreas * choice.requests : 0;
        return {.executor = settings,
                .scale = model.network.scale,
                .frame = frame,
                .layout = {choice.layout.tile, choice.halo, choice.blend, choice.layout.alignment},
                .may_lower_precision = options.precision == Precision::automatic,
                .release_every_frame = releases_every_frame(options)};
    }

    SteadyEnhancer::Surroundings surroundings() {
        SteadyEnhancer::Surroundings made;
        made.make_executor = [this](const ExecutorSettings& wanted) { return make_executor(model.network, wanted); };
        made.make_output = [this](Size wanted) {
            const Size whole{size.width * model.network.scale, size.height * model.network.scale};
            return wanted == whole ? take_output() : at::empty({3, wanted.height, wanted.width}, at::kFloat);
        };
        made.release_caches = [this] {
            if (network_pool) {
                network_pool->drop_idle();
            }
            release_caches();
        };
        made.tell = [this](const BackOff& back_off) { back_offs.push_back(back_off); };
        return made;
    }

    void forget() {
        if (enhancer) {
            enhancer->reset();
        }
        if (options.temporal == TemporalPreset::off && options.reuse != Reuse::exact) {
            rare_motion = std::make_unique<MotionOnDemand>(options.temporal_flow);
        }
        if (options.temporal != TemporalPreset::off) {
            motion = std::make_unique<MotionEstimator>(options.temporal_flow);
            lock = std::make_unique<TemporalLock>(
                lock_settings(options.temporal),
                temporal_memory(DebugView::none, size, model.network.scale, true).history);
        }
    }

    [[nodiscard]] MemoryChoice plan(Size frame) const {
        check_alignment(model.network, frame);
        MemoryNeeds needs;
        needs.frame = frame;
        needs.scale = model.network.scale;
        set_halo(needs, model.network);
        needs.tile = options.tile;
        needs.batch = options.batch;
        needs.threads = settings.threads;
        needs.devices = static_cast<int>(settings.links.size());
        needs.vram_budget = vram_budget(options, devices);
        needs.input_kept = options.colour_fix != ColourFixing::off;
        needs.reuse = reuses();
        needs.cost = estimate_cost(model.network, settings);
        needs.base = resident_bytes();
        needs.budget = needs.base + options.max_memory.value_or(default_memory_budget());
        const auto pixels = static_cast<std::uint64_t>(frame.width) * static_cast<std::uint64_t>(frame.height);
        needs.input_tensor = pixels * 3 * sizeof(float);
        needs.output_tensor = needs.input_tensor * static_cast<std::uint64_t>(needs.scale * needs.scale);
        if (options.temporal != TemporalPreset::off) {
            const TemporalMemory memory = temporal_memory(DebugView::none, frame, needs.scale, settings.links.empty());
            needs.motion = memory.motion;
            needs.temporal_apart = memory.apart;
            needs.temporal_in_turn = memory.in_turn;
        }
        MemoryChoice smallest;
        if (auto choice = fit_memory(needs, smallest)) {
            return *choice;
        }
        throw Error(ErrorKind::refused,
                    {"preparing to enhance frames", std::to_string(frame.width) + "x" + std::to_string(frame.height),
                     "even the smallest tiles do not fit into the memory there is", ""});
    }

    void push(const VideoFrame& frame, bool alone) {
        const c10::InferenceMode inference;
        const TorchThreads threads(settings.threads);
        prepare(frame.size());
        Waiting item{frame, {}};
        const at::Tensor input = frame.state().planar().contiguous();
        if (motion && !alone) {
            item.motion = motion->next(input);
        }
        Motion followed = item.motion;
        if (!motion) {
            followed.cut = !alone && rare_motion && reuses() && !rare_motion->follows(input);
        }
        waiting.push_back(std::move(item));
        enhancer->submit(frame.index(), input, followed, alone,
                         rare_motion ? [this] { return rare_motion->flow(); } : FindFlow());
        if (alone) {
            enhancer->reset();
            return;
        }
        // Of frames that changed little few areas wait, so that there are slots for many of them.
        finish_but(frames_in_flight);
    }

    void finish_but(std::size_t kept) {
        while (waiting.size() > kept) {
            done.push_back(finish(true));
        }
    }

    // The oldest frame, if it is complete or is to be waited for, as a frame of its own.
    VideoFrame finish(bool wait, bool alone = false) {
        const c10::InferenceMode inference;
        const TorchThreads threads(settings.threads);
        std::optional<EnhancerFrame> finished = wait ? enhancer->drain() : enhancer->poll();
        if (!finished) {
            return {};
        }
        Waiting item = std::move(waiting.front());
        waiting.pop_front();
        at::Tensor output = std::move(finished->output);
        if (options.colour_fix != ColourFixing::off) {
            const TorchThreads one(1);   // its sums are small: threads waiting for each other cost five times as much
            colour_fix->apply(finished->input, output);
        }
        if (lock && !alone) {
            lock->stabilise(item.motion, output);
        }
        if (network_pool) {
            at::Tensor resized = origin->take_planar();
            resized.copy_(
                at::_upsample_bicubic2d_aa(output.unsqueeze(0), {resized.size(1), resized.size(2)}, false)[0]);
            output = std::move(resized);
        }
        auto state = std::make_shared<VideoFrame::State>(origin);
        state->planar_pixels = std::move(output);
        ++origin->planar_writes;
        return VideoFrame(std::move(state)).at_time_of(item.frame);
    }
};

FrameEnhancer::FrameEnhancer(const Options& options) : state_(std::make_unique<State>(options)) {}
FrameEnhancer::~FrameEnhancer() = default;
FrameEnhancer::FrameEnhancer(FrameEnhancer&&) noexcept = default;
FrameEnhancer& FrameEnhancer::operator=(FrameEnhancer&&) noexcept = default;

VideoFrame FrameEnhancer::enhance(const VideoFrame& frame) {
    if (in_flight() > 0) {
        throw Error(ErrorKind::usage, {"enhancing a frame", "", "frames of a stream are in flight",
                                       "Drain the stream first, or use an enhancer of its own"});
    }
    state_->push(frame, true);
    return state_->finish(true, true);
}

void FrameEnhancer::push(const VideoFrame& frame) {
    state_->push(frame, false);
}

VideoFrame FrameEnhancer::pop() {
    if (!state_->done.empty()) {
        VideoFrame frame = std::move(state_->done.front());
        state_->done.pop_front();
        return frame;
    }
    return state_->enhancer ? state_->finish(false) : VideoFrame();
}

VideoFrame FrameEnhancer::drain() {
    if (VideoFrame frame = pop(); !frame.empty()) {
        return frame;
    }
    return state_->enhancer ? state_->finish(true) : VideoFrame();
}

void FrameEnhancer::reset() {
    State& state = *state_;
    if (state.enhancer) {
        state.enhancer->drop();
    }
    state.waiting.clear();
    state.done.clear();
    state.forget();
}

void FrameEnhancer::stream(const std::function<VideoFrame()>& next, const std::function<void(VideoFrame)>& take) {
    for (VideoFrame frame = next(); !frame.empty(); frame = next()) {
        push(frame);
        for (VideoFrame finished = pop(); !finished.empty(); finished = pop()) {
            take(std::move(finished));
        }
    }
    for (VideoFrame finished = drain(); !finished.empty(); finished = drain()) {
        take(std::move(finished));
    }
    reset();
}

int FrameEnhancer::scale() const {
    return state_->options.scale;
}
std::int64_t FrameEnhancer::in_flight() const {
    return static_cast<std::int64_t>(state_->waiting.size() + state_->done.size());
}
FrameCounts FrameEnhancer::counts() const {
    return state_->origin ? state_->origin->counts() : FrameCounts{};
}

const std::vector<std::string>& FrameEnhancer::notes() const {
    return state_->notes;
}
const std::vector<BackOff>& FrameEnhancer::back_offs() const {
    return state_->back_offs;
}

}   // namespace millstream
