// Motion and lock as stages, with a network between them that keeps frames in flight.
#include "pipeline/temporal_stages.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "pipeline/runner.h"

namespace millstream {
namespace {

constexpr std::int64_t kSide = 32;
constexpr int kFrames = 12;

// A still picture with noise; another one from frame 6 on, or never.
class NoisySource : public Source {
public:
    explicit NoisySource(LiveFrames& live, int frames = kFrames, bool cut = true, double noise = 0.01) : live_(live) {
        at::manual_seed(1);
        const at::Tensor first = at::rand({3, kSide, kSide}) * 0.2 + 0.1;
        const at::Tensor second = at::rand({3, kSide, kSide}) * 0.2 + 0.7;
        for (int i = 0; i < frames; ++i) {
            inputs.push_back((i < kFrames / 2 || !cut ? first : second) + at::randn({3, kSide, kSide}) * noise);
        }
    }
    void begin_at(std::size_t index) { made_ = index; }
    // From here on the left half repeats the frame before, bit for bit; the right half goes on under noise.
    void freeze_at(std::size_t index) {
        for (std::size_t i = index + 1; i < inputs.size(); ++i) {
            inputs[i].narrow(2, 0, kSide / 2).copy_(inputs[index].narrow(2, 0, kSide / 2));
        }
    }
    std::string_view name() const override { return "source"; }
    std::optional<Frame> next() override {
        if (made_ == inputs.size()) {
            return std::nullopt;
        }
        Frame frame(live_, static_cast<std::int64_t>(made_));
        frame.input = inputs[made_++].clone();
        return frame;
    }
    std::vector<at::Tensor> inputs;

private:
    LiveFrames& live_;
    std::size_t made_ = 0;
};

at::Tensor doubled(const at::Tensor& input) {
    return at::upsample_nearest2d(input.unsqueeze(0), {2 * kSide, 2 * kSide}).squeeze(0);
}

// Doubles the size; hands a frame on when three more have come.
class DoublingStage : public Stage {
public:
    std::string_view name() const override { return "double"; }
    void process(Item item, const Emit& emit) override {
        if (auto* frame = std::get_if<Frame>(&item)) {
            frame->output = doubled(frame->input);
            frame->input.reset();
            held_.push_back(std::move(*frame));
            if (held_.size() > 3) {
                release(emit);
            }
            return;
        }
        while (!held_.empty()) {
            release(emit);
        }
        emit(std::move(item));
    }

private:
    void release(const Emit& emit) {
        Frame frame = std::move(held_.front());
        held_.pop_front();
        emit(std::move(frame));
    }
    std::deque<Frame> held_;
};

class KeepStage : public Stage {
public:
    std::string_view name() const override { return "keep"; }
    void process(Item item, const Emit& /*emit*/) override {
        if (auto* frame = std::get_if<Frame>(&item)) {
            EXPECT_TRUE(frame->motion.cut) << "the motion must have been released";
            outputs.push_back(frame->output.clone());
        }
    }
    std::vector<at::Tensor> outputs;
};

std::size_t planned_history() {
    return temporal_memory(DebugView::none, {static_cast<int>(kSide), static_cast<int>(kSide)}, 2, true).history;
}

std::vector<at::Tensor> run(NoisySource& source, bool threaded, DebugView view, std::int64_t chunk,
                            std::size_t most_bytes = planned_history()) {
    MotionStage motion(FlowQuality::full, 1);
    DoublingStage network;
    TemporalStage temporal(TemporalPreset::medium, view, 1, Chunks(chunk), most_bytes);
    KeepStage keep;
    const std::vector<StageGroup> groups{{{&motion}, 1 << 16}, {{&network}, 1 << 16}, {{&temporal, &keep}, 1 << 16}};
    threaded ? run_threaded(source, groups, [] {}) : run_serial(source, groups, [] {});
    return keep.outputs;
}

std::vector<at::Tensor> run(bool threaded, DebugView view) {
    LiveFrames live;
    NoisySource source(live);
    return run(source, threaded, view, 1000);
}

// Of 60 frames without a cut, those from `first` on.
std::vector<at::Tensor> run_from(std::size_t first, std::int64_t chunk) {
    LiveFrames live;
    NoisySource source(live, 60, false);
    source.begin_at(first);
    return run(source, false, DebugView::none, chunk);
}

double flicker(const std::vector<at::Tensor>& frames, std::size_t first, std::size_t end) {
    double sum = 0;
    for (std::size_t i = first + 1; i < end; ++i) {
        sum += (frames[i] - frames[i - 1]).square().mean().item<double>();
    }
    return sum;
}

TEST(TemporalStages, calm_each_scene_and_start_anew_at_the_cut) {
    LiveFrames live;
    std::vector<at::Tensor> raw;
    for (const at::Tensor& input : NoisySource(live).inputs) {
        raw.push_back(doubled(input));
    }
    const auto locked = run(false, DebugView::none);
    ASSERT_EQ(locked.size(), raw.size());
    EXPECT_LT(flicker(locked, 0, 6), 0.6 * flicker(raw, 0, 6));
    EXPECT_LT(flicker(locked, 6, 12), 0.6 * flicker(raw, 6, 12));
    EXPECT_TRUE(at::equal(locked[0], raw[0]));
    EXPECT_TRUE(at::equal(locked[6], raw[6])) << "nothing of the old scene";
}

// R4.1: the window is bounded in bytes. In the other tests frames are held within what the plan says.
TEST(TemporalStages, a_frame_larger_than_the_window_may_hold_is_not_held_and_the_lock_does_nothing) {
    LiveFrames live;
    NoisySource source(live);
    const auto locked = run(source, false, DebugView::none, 1000, planned_history() / 2);
    for (std::size_t i = 0; i < locked.size(); ++i) {
        EXPECT_TRUE(at::equal(locked[i], doubled(source.inputs[i]))) << i;
    }
}

TEST(TemporalStages, both_runners_give_the_same_frames) {
    const auto serial = run(false, DebugView::none);
    const auto threaded = run(true, DebugView::none);
    ASSERT_EQ(serial.size(), threaded.size());
    for (std::size_t i = 0; i < serial.size(); ++i) {
        EXPECT_TRUE(at::equal(serial[i], threaded[i])) << i;
    }
}

TEST(TemporalStages, a_chunk_is_what_a_fresh_start_twelve_frames_before_gives) {
    const auto uninterrupted = run_from(0, 24);
    const auto resumed = run_from(24 - Chunks::kWarmUp, 24);
    ASSERT_EQ(resumed.size(), 60 - 24 + Chunks::kWarmUp);
    for (std::size_t i = 24; i < 60; ++i) {
        EXPECT_TRUE(at::equal(uninterrupted[i], resumed[i - (24 - Chunks::kWarmUp)])) << i;
    }
    EXPECT_FALSE(at::equal(uninterrupted[23], resumed[11])) << "the frames that warm up are others";
}

TEST(TemporalStages, the_picture_does_not_jump_where_a_chunk_begins) {
    const auto chunked = run_from(0, 24);
    const auto whole = run_from(0, 1000);
    for (std::size_t i = 0; i < 24; ++i) {
        EXPECT_TRUE(at::equal(chunked[i], whole[i])) << i;
    }
    for (std::size_t i = 24; i < 60; ++i) {
        EXPECT_LE((chunked[i] - whole[i]).abs().max().item<float>(), 2.0F / 255) << i;
    }
}

// Frames from `first` on of 36 under noise of 5 codes, whose left half freezes; a chunk begins with frame 24.
std::vector<at::Tensor> run_frozen(std::size_t freeze, std::size_t first) {
    LiveFrames live;
    NoisySource source(live, 36, false, 5.0 / 255);
    source.freeze_at(freeze);
    source.begin_at(first);
    return run(source, false, DebugView::none, 24);
}

// Largest change between two frames of what has been frozen, clear of what has not, in codes.
float change_of_frozen(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).narrow(2, 0, kSide - 8).abs().max().item<float>() * 255;
}

TEST(TemporalStages, what_froze_under_noise_moves_by_two_codes_a_frame_at_most_towards_the_next_chunk) {
    for (const std::size_t freeze : {4U, 8U, 11U, 12U, 13U, 16U, 20U, 22U}) {
        const auto frames = run_frozen(freeze, 0);
        for (std::size_t i = freeze + 1; i < frames.size(); ++i) {
            const float change = change_of_frozen(frames[i], frames[i - 1]);
            EXPECT_LE(change, i >= 12 && i <= 24 ? 2.001F : 0) << "frozen from " << freeze << ", frame " << i;
        }
    }
}

TEST(TemporalStages, a_run_resumed_in_a_frozen_scene_gives_the_same_frames) {
    for (const std::size_t freeze : {8U, 14U, 20U}) {
        const auto uninterrupted = run_frozen(freeze, 0);
        const auto resumed = run_frozen(freeze, 12);
        for (std::size_t i = 24; i < 36; ++i) {
            EXPECT_TRUE(at::equal(uninterrupted[i], resumed[i - 12])) << freeze << ", " << i;
        }
    }
}

TEST(TemporalStages, the_split_view_shows_both_and_does_not_disturb_the_lock) {
    LiveFrames live;
    const auto inputs = NoisySource(live).inputs;
    const auto locked = run(false, DebugView::none);
    const auto split = run(false, DebugView::split);
    for (std::size_t i = 0; i < locked.size(); ++i) {
        EXPECT_TRUE(at::equal(split[i].narrow(2, 0, kSide), doubled(inputs[i]).narrow(2, 0, kSide))) << i;
        EXPECT_TRUE(at::equal(split[i].narrow(2, kSide + 1, kSide - 1), locked[i].narrow(2, kSide + 1, kSide - 1)));
    }
}

TEST(TemporalStages, the_other_views_are_black_without_a_predecessor_and_within_range_with_one) {
    for (const DebugView view : {DebugView::flow, DebugView::confidence}) {
        const auto frames = run(true, view);
        EXPECT_EQ(frames[0].max().item<float>(), 0);
        EXPECT_EQ(frames[6].max().item<float>(), 0);
        EXPECT_GT(frames[3].mean().item<float>(), 0.3F) << "noise on a still picture is held: white";
        EXPECT_GE(frames[3].min().item<float>(), 0);
        EXPECT_LE(frames[3].max().item<float>(), 1);
        EXPECT_EQ(frames[3].sizes(), (std::vector<std::int64_t>{3, 2 * kSide, 2 * kSide}));
    }
}

}   // namespace
}   // namespace millstream
