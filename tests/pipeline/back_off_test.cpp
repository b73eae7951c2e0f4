// Memory that really runs out: every allocation of the network's stage fails once, in a run through the threaded
// runner.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/counted_device.h"
#include "model/networks.h"
#include "pipeline/failing_allocator.h"
#include "pipeline/runner.h"
#include "pipeline/stages.h"

namespace millstream {
namespace {

constexpr Size kFrame{40, 28};
constexpr int kFrames = 5;
constexpr int kScale = 2;

Network small_network() {
    return chain({conv(3, 8, 3), prelu(8), conv(8, 12, 3), shuffle(2)});
}

class FrameSource : public Source {
public:
    FrameSource(LiveFrames& live, const std::vector<at::Tensor>& inputs) : live_(live), inputs_(inputs) {}
    [[nodiscard]] std::string_view name() const override { return "source"; }
    std::optional<Frame> next() override {
        if (made_ == inputs_.size()) {
            return std::nullopt;
        }
        Frame frame(live_, static_cast<std::int64_t>(made_));
        frame.input = inputs_[made_++];
        return frame;
    }

private:
    LiveFrames& live_;
    const std::vector<at::Tensor>& inputs_;
    std::size_t made_ = 0;
};

class OutputStage : public Stage {
public:
    [[nodiscard]] std::string_view name() const override { return "output"; }
    void process(Item item, const Emit& /*emit*/) override {
        if (auto* frame = std::get_if<Frame>(&item)) {
            EXPECT_EQ(frame->index, static_cast<std::int64_t>(outputs.size())) << "lost, repeated or out of order";
            outputs.push_back(frame->output);
        }
    }
    std::vector<at::Tensor> outputs;
};

struct Outcome {
    std::vector<at::Tensor> outputs;
    std::vector<BackOff> told;
    int allocations = 0;
    std::int64_t live = 0;
};

// `memory`: frames are on a device that has it; null: in the host's memory.
Outcome run_with_failure_at(int fail_at, int tile, const std::vector<at::Tensor>& inputs,
                            const std::optional<ReuseSettings>& reuse = std::nullopt, CountedMemory* memory = nullptr) {
    const Network network = small_network();
    EnhanceStage::Settings settings;
    settings.enhancer.executor = {.backend = Backend::torch, .precision = Precision::fp32, .threads = 1, .requests = 2};
    settings.enhancer.scale = kScale;
    settings.enhancer.frame = kFrame;
    settings.enhancer.layout = {tile == 0 ? kFrame : Size{tile, tile}, 2, 0};
    settings.frames_in_flight = 3;
    settings.reuse = reuse;
    settings.find_motion = FlowQuality::fast;
    if (memory != nullptr) {
        settings.link = std::make_shared<CountedDevice>(*memory, true);
        settings.enhancer.executor.device = "cuda:0";
        settings.enhancer.executor.links = {settings.link};
    }
    Outcome outcome;
    SteadyEnhancer::Surroundings surroundings;
    surroundings.make_executor = [&](const ExecutorSettings& wanted) { return make_executor(network, wanted); };
    surroundings.tell = [&](const BackOff& back_off) { outcome.told.push_back(back_off); };
    LiveFrames live;
    FrameSource source(live, inputs);
    OutputStage output;
    {
        const FailingAllocator allocator(fail_at);
        EnhanceStage enhance(settings, surroundings, {});
        run_threaded(
            source, {{{&enhance}, 1 << 20}, {{&output}, 1 << 20}}, [] {}, &enhance.short_queues());
        outcome.allocations = allocator.count();
    }
    outcome.live = live.now();
    outcome.outputs = std::move(output.outputs);
    return outcome;
}

TEST(BackOff, r6_4_every_allocation_of_a_run_may_fail_and_the_result_is_the_same_bit_for_bit) {
    at::manual_seed(3);
    std::vector<at::Tensor> inputs;
    for (int i = 0; i < kFrames; ++i) {
        inputs.push_back(at::rand({3, kFrame.height, kFrame.width}));
    }
    const Outcome wanted = run_with_failure_at(0, 0, inputs);
    ASSERT_EQ(wanted.outputs.size(), static_cast<std::size_t>(kFrames));
    ASSERT_TRUE(wanted.told.empty());
    for (const int tile : {0, 24}) {
        int failed = 0;
        for (int n = 1;; ++n) {
            const Outcome outcome = run_with_failure_at(n, tile, inputs);
            ASSERT_EQ(outcome.outputs.size(), wanted.outputs.size()) << "allocation " << n;
            for (std::size_t i = 0; i < wanted.outputs.size(); ++i) {
                ASSERT_TRUE(at::equal(outcome.outputs[i], wanted.outputs[i])) << "allocation " << n << " frame " << i;
            }
            EXPECT_EQ(outcome.live, 0) << "a frame was not let go, allocation " << n;
            if (outcome.allocations < n) {
                break;
            }
            ASSERT_LE(outcome.told.size(), 1U) << "allocation " << n;
            failed += static_cast<int>(outcome.told.size());   // Torch makes do without a few by itself
        }
        EXPECT_GT(failed, 5 * kFrames) << "the walk must go through the run";
    }
}

TEST(BackOff, where_frames_are_carried_on_any_allocation_may_fail_too_on_the_host_and_on_a_device) {
    at::manual_seed(4);
    const at::Tensor still = at::rand({3, kFrame.height, kFrame.width});
    std::vector<at::Tensor> inputs;
    for (int i = 0; i < kFrames; ++i) {
        inputs.push_back(still + i * 0.3 / 255);
        inputs.back().narrow(1, 4, 5).narrow(2, 3 * i, 5).fill_(0.8F);
    }
    Network network = small_network();
    network.receptive_radius = 2;
    network.macs_per_pixel = 600'000;   // as if
    ReuseSettings reuse = reuse_settings(Reuse::fast, network, true, Precision::fp32);
    reuse.flow_cost = 0;   // motion is searched for in each
    reuse.check_every = 3;
    CountedMemory memory;
    for (CountedMemory* const there : {static_cast<CountedMemory*>(nullptr), &memory}) {
        SCOPED_TRACE(there == nullptr ? "host" : "device");
        const Outcome wanted = run_with_failure_at(0, 0, inputs, reuse, there);
        ASSERT_EQ(wanted.outputs.size(), inputs.size());
        int told = 0;
        int tried = 0;
        const int step = std::max(1, wanted.allocations / 100);   // there are thousands
        for (int n = 1; n <= wanted.allocations; n += step, ++tried) {
            const Outcome outcome = run_with_failure_at(n, 0, inputs, reuse, there);
            ASSERT_EQ(outcome.outputs.size(), wanted.outputs.size()) << "allocation " << n;
            for (std::size_t i = 0; i < wanted.outputs.size(); ++i) {
                ASSERT_TRUE(at::equal(outcome.outputs[i], wanted.outputs[i])) << "allocation " << n << " frame " << i;
            }
            EXPECT_EQ(outcome.live, 0) << "a frame was not let go, allocation " << n;
            told += static_cast<int>(outcome.told.size());
        }
        EXPECT_GT(told, 0) << "in the network";
        EXPECT_LT(told, tried) << "and beside it";
    }
}

}   // namespace
}   // namespace millstream
