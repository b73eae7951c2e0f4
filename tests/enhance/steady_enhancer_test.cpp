#include "enhance/steady_enhancer.h"

#include <ATen/Functions.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "enhance/box_executor.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kScale = 2;
constexpr Size kFrame{53, 37};
constexpr int kFrames = 6;

// Memory runs out in as many ways as the libraries have.
[[noreturn]] void run_out_of_memory(int way) {
    switch (way % 4) {
        case 0:
            throw std::bad_alloc();
        case 1:
            throw c10::OutOfMemoryError({__func__, __FILE__, 0}, "CUDA out of memory. Tried to allocate 2 GiB");
        case 2:
            throw std::runtime_error("could not create a memory object");
        default:
            throw Error(ErrorKind::resource, {"running", "", "there is not enough memory", ""});
    }
}

/// What every executor of a test asks before it does something that takes memory.
struct Script {
    std::function<bool(const ExecutorSettings&, Size tile)> fails = [](const auto&, Size) { return false; };
    int calls = 0;
    int failures = 0;

    void ask(const ExecutorSettings& settings, Size tile) {
        ++calls;
        if (fails(settings, tile)) {
            run_out_of_memory(++failures);
        }
    }
};

class ScriptedExecutor : public BoxExecutor {
public:
    ScriptedExecutor(Script& script, const ExecutorSettings& settings)
        : BoxExecutor(static_cast<std::size_t>(settings.requests), kScale), script_(script), settings_(settings) {
        script_.ask(settings_, {});
    }
    void start(std::size_t request, at::Tensor input, at::Tensor output) override {
        tile_ = {static_cast<int>(input.size(3)), static_cast<int>(input.size(2))};
        script_.ask(settings_, tile_);
        BoxExecutor::start(request, std::move(input), std::move(output));
    }
    // Fails only for requests that run: waiting for an idle slot takes no memory. The slot is idle afterwards.
    void wait(std::size_t request) override {
        const bool runs = running(request);
        BoxExecutor::wait(request);
        if (runs) {
            script_.ask(settings_, tile_);
        }
    }

private:
    Script& script_;
    ExecutorSettings settings_;
    Size tile_;
};

struct Trial {
    Script script;
    SteadyEnhancer::Settings settings;
    SteadyEnhancer::Surroundings surroundings;
    std::vector<BackOff> told;
    int released = 0;
    std::vector<at::Tensor> outputs;
    Effort effort;

    explicit Trial(int requests = 3) {
        settings.executor = {
            .backend = Backend::torch, .precision = Precision::fp32, .threads = 1, .requests = requests};
        settings.scale = kScale;
        settings.frame = kFrame;
        settings.layout = {kFrame, 1, 0};
        surroundings.make_executor = [this](const ExecutorSettings& wanted) {
            return std::make_unique<ScriptedExecutor>(script, wanted);
        };
        surroundings.make_output = [](Size size) { return at::full({3, size.height, size.width}, -1.0F); };
        surroundings.release_caches = [this] { ++released; };
        surroundings.tell = [this](const BackOff& back_off) { told.push_back(back_off); };
    }

    void run(const std::vector<at::Tensor>& inputs) {
        SteadyEnhancer enhancer(settings, surroundings);
        const auto take = [this](const std::optional<EnhancerFrame>& done) {
            if (done) {
                EXPECT_EQ(done->index, static_cast<std::int64_t>(outputs.size())) << "lost, repeated or out of order";
                outputs.push_back(done->output);
            }
            return done.has_value();
        };
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            enhancer.submit(static_cast<std::int64_t>(i), inputs[i]);
            take(enhancer.poll());
        }
        while (enhancer.frames_in_flight() > 0) {
            EXPECT_TRUE(take(enhancer.drain()));
        }
        effort = enhancer.effort();
    }

    [[nodiscard]] std::vector<std::string> measures() const {
        std::vector<std::string> names;
        for (const BackOff& back_off : told) {
            names.push_back(back_off.measure);
        }
        return names;
    }
};

std::vector<at::Tensor> random_frames(int count) {
    at::manual_seed(1);
    std::vector<at::Tensor> frames;
    for (int i = 0; i < count; ++i) {
        frames.push_back(at::rand({3, kFrame.height, kFrame.width}));
    }
    return frames;
}

std::vector<at::Tensor> undisturbed(const std::vector<at::Tensor>& inputs) {
    Trial trial;
    trial.run(inputs);
    return trial.outputs;
}

void expect_same(const std::vector<at::Tensor>& outputs, const std::vector<at::Tensor>& wanted,
                 const std::string& when) {
    ASSERT_EQ(outputs.size(), wanted.size()) << when;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_TRUE(at::equal(outputs[i], wanted[i])) << when << ", frame " << i;
        EXPECT_EQ(outputs[i].use_count(), 1U) << when << ": somebody still holds frame " << i;
    }
}

TEST(SteadyEnhancer, r6_4_a_lack_of_memory_at_any_moment_loses_and_changes_no_frame) {
    const auto inputs = random_frames(kFrames);
    const auto wanted = undisturbed(inputs);
    for (const int tile : {0, 16}) {
        for (int n = 1;; ++n) {
            Trial trial;
            trial.settings.layout.tile = tile == 0 ? kFrame : Size{tile, tile};
            trial.script.fails = [&trial, n](const auto&, Size) { return trial.script.calls == n; };
            trial.run(inputs);
            expect_same(trial.outputs, wanted, "call " + std::to_string(n) + ", tile " + std::to_string(tile));
            if (trial.script.failures == 0) {
                EXPECT_GT(n, 2 * kFrames) << "the walk must reach every start and every wait";
                break;
            }
            EXPECT_THAT(trial.measures(), ElementsAre("release caches"));
            EXPECT_EQ(trial.effort.requests, 3) << "one shortage costs no speed";
        }
    }
}

TEST(SteadyEnhancer, what_goes_on_failing_is_done_with_less_at_a_time) {
    const auto inputs = random_frames(kFrames);
    const auto wanted = undisturbed(inputs);
    for (int n = 1; n <= 12; ++n) {
        Trial trial(4);
        trial.script.fails = [&trial, n](const ExecutorSettings& settings, Size tile) {
            return trial.script.calls >= n && (settings.requests > 1 || tile.width * tile.height > 30 * 30);
        };
        trial.run(inputs);
        expect_same(trial.outputs, wanted, "from call " + std::to_string(n) + " on");
        EXPECT_THAT(trial.measures(),
                    ElementsAre("release caches", "fewer requests", "fewer requests", "smaller tiles", "smaller tiles"))
            << n;
        EXPECT_EQ(trial.effort.requests, 1);
        EXPECT_EQ(trial.told[1].from, "4 requests of 53x37, fp32");
        EXPECT_EQ(trial.told[1].to, "2 requests of 53x37, fp32");
    }
}

TEST(SteadyEnhancer, when_nothing_is_left_the_message_says_what_was_tried) {
    Trial trial;
    trial.script.fails = [&trial](const auto&, Size) { return trial.script.calls > 5; };
    try {
        trial.run(random_frames(kFrames));
        FAIL() << "must give up";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resource);
        EXPECT_THAT(error.what(),
                    HasSubstr("caches were given back, and 3 requests of 53x37, fp32 became 1 request of"));
        EXPECT_THAT(error.what(), HasSubstr("short queues"));
    }
}

TEST(SteadyEnhancer, other_failures_are_not_taken_for_a_lack_of_memory) {
    Trial trial;
    trial.surroundings.make_executor = [](const ExecutorSettings&) -> std::unique_ptr<Executor> {
        throw Error(ErrorKind::model, {"preparing", "", "the weights are damaged", ""});
    };
    try {
        trial.run(random_frames(1));
        FAIL() << "must fail";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::model);
    }
    EXPECT_TRUE(trial.told.empty());
}

TEST(SteadyEnhancer, after_a_quiet_while_a_step_is_taken_back_and_the_next_while_is_longer_where_that_was_too_soon) {
    const auto inputs = random_frames(100);
    Trial trial(2);
    trial.settings.quiet_frames = 10;
    int plenty_from = 1 << 30;
    trial.script.fails = [&](const ExecutorSettings& settings, Size) {
        const auto done = static_cast<int>(trial.outputs.size());
        return settings.requests > 1 && done >= 5 && done < plenty_from;
    };
    plenty_from = 40;
    trial.run(inputs);
    expect_same(trial.outputs, undisturbed(inputs), "up and down");
    EXPECT_EQ(trial.effort.requests, 2) << "memory is plentiful again";
    std::vector<std::int64_t> taken_back;
    for (const BackOff& back_off : trial.told) {
        if (back_off.measure == "taken back") {
            taken_back.push_back(back_off.frame);
        }
    }
    ASSERT_GE(taken_back.size(), 2U);
    EXPECT_LE(taken_back[0], 20);
    EXPECT_GE(taken_back[1] - taken_back[0], 19) << "twice as long";
}

TEST(SteadyEnhancer, lower_precision_comes_behind_tiles_and_only_where_it_is_allowed) {
    const Effort smallest{1, {{18, 18}, 1, 0}, Precision::fp32, false};
    const EffortLimits allowed{kFrame, Precision::bf16};
    EXPECT_EQ(less({2, smallest.layout, Precision::fp32, false}, allowed)->measure, "fewer requests");
    EXPECT_EQ(less({1, {{40, 30}, 1, 0}, Precision::fp32, false}, allowed)->measure, "smaller tiles");
    EXPECT_EQ(less(smallest, allowed)->measure, "lower precision");
    EXPECT_EQ(less(smallest, allowed, Shortage::pressure)->measure, "shorter queues");
    const Effort large{1, {{1280, 720}, 18, 0}, Precision::fp32, false};
    EXPECT_EQ(less(large, {{1280, 720}, std::nullopt}, Shortage::pressure)->effort.layout.tile, (Size{658, 720}));
    const Effort medium{1, {{260, 240}, 18, 0}, Precision::fp32, false};
    EXPECT_EQ(less(medium, {{1280, 720}, std::nullopt}, Shortage::pressure)->measure, "shorter queues")
        << "tiles that are mostly halo would cost more than they save";
    EXPECT_EQ(less(smallest, {kFrame, std::nullopt})->measure, "shorter queues");
    EXPECT_FALSE(less({1, smallest.layout, Precision::bf16, true}, allowed));
}

TEST(SteadyEnhancer, r7_2_pressure_gives_back_caches_and_then_does_less) {
    const auto inputs = random_frames(40);
    Trial trial(4);
    const auto level_at = [](std::size_t done) {
        return done < 5    ? PressureLevel::normal
               : done < 10 ? PressureLevel::elevated
               : done < 12 ? PressureLevel::critical
                           : PressureLevel::normal;
    };
    trial.surroundings.pressure = [&] { return level_at(trial.outputs.size()); };
    trial.run(inputs);
    expect_same(trial.outputs, undisturbed(inputs), "under pressure");
    EXPECT_THAT(trial.measures(), ElementsAre("release caches", "fewer requests"));
    EXPECT_GE(trial.released, 2);
    EXPECT_EQ(trial.effort.requests, 2);
}

TEST(SteadyEnhancer, r3_3_every_frame_gives_back_what_is_kept) {
    Trial trial;
    trial.settings.release_every_frame = true;
    trial.run(random_frames(kFrames));
    EXPECT_EQ(trial.released, kFrames);
}

TEST(SteadyEnhancer, r6_4_a_lower_precision_is_reached_in_a_run_where_auto_meant_fp32) {
    Trial trial;
    trial.settings.may_lower_precision = true;   // Torch on the CPU: bf16, where need be in software
    trial.script.fails = [](const ExecutorSettings& settings, Size) { return settings.precision == Precision::fp32; };
    trial.run(random_frames(kFrames));
    EXPECT_EQ(trial.outputs.size(), static_cast<std::size_t>(kFrames));
    EXPECT_EQ(trial.effort.precision, Precision::bf16);
    EXPECT_THAT(trial.measures().back(), "lower precision");
}

TEST(SteadyEnhancer, a_precision_that_was_asked_for_is_kept_to_the_end) {
    Trial trial;
    trial.script.fails = [](const ExecutorSettings& settings, Size) { return settings.precision == Precision::fp32; };
    EXPECT_THROW(trial.run(random_frames(kFrames)), Error);
    EXPECT_EQ(trial.measures().back(), "shorter queues");
}

TEST(SteadyEnhancer, time_in_the_network_is_told_apart_from_what_happens_between) {
    Trial trial;
    SteadyEnhancer enhancer(trial.settings, trial.surroundings);
    EXPECT_EQ(enhancer.busy_s(), 0);
    enhancer.submit(0, random_frames(kFrames).front());
    EXPECT_TRUE(enhancer.drain());
    EXPECT_GT(enhancer.busy_s(), 0);
}

}   // namespace
}   // namespace millstream
