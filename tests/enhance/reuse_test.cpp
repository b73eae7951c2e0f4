// Reuse with an executor that has no network behind it, so that every frame's right output is known.
#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "box_executor.h"
#include "enhance/block_measures.h"
#include "enhance/reuse_enhancer.h"
#include "enhance/shown_difference.h"
#include "model/counted_device.h"
#include "motion/motion_on_demand.h"

namespace millstream {
namespace {

constexpr int kScale = 2;
constexpr Size kFrame{160, 112};
using Frames = std::vector<at::Tensor>;

/// y = x enlarged, and 0.2 where x is above 0.5 in the mean of its 3x3: small changes may flip what it adds.
class StepExecutor : public BoxExecutor {
public:
    StepExecutor() : BoxExecutor(1, kScale) {}
    void start(std::size_t request, at::Tensor input, at::Tensor output) override {
        const at::Tensor mean = at::avg_pool2d(input, 3, 1, 1);
        BoxExecutor::start(request, input + (mean > 0.5).to(at::kFloat) * 0.2, output);
    }
};

struct Setup {
    std::optional<ReuseSettings> reuse;
    Size tile = kFrame;
    std::int64_t first = 0;       // index of the first frame
    std::int64_t restart = -1;    // index of a frame before which everything is forgotten
    bool one_at_a_time = false;   // each frame is waited for
    bool step = false;            // StepExecutor
    bool flow = false;
    int strips = 1;
    bool there = false;   // as on a device
};

struct Outcome {
    Frames outputs;
    ReuseCounts counts;
    std::int64_t fetches = 0;   // from the device
    std::int64_t fetched_bytes = 0;
    std::int64_t sent_bytes = 0;
};

Outcome run(const Frames& inputs, const Setup& setup) {
    SteadyEnhancer::Settings settings;
    settings.executor.requests = 2;
    settings.executor.precision = Precision::fp32;
    settings.scale = kScale;
    settings.frame = kFrame;
    settings.layout = {setup.tile, 1, 0};
    SteadyEnhancer::Surroundings surroundings;
    surroundings.make_executor = [&](const ExecutorSettings& wanted) -> std::unique_ptr<Executor> {
        if (setup.step) {
            return std::make_unique<StepExecutor>();
        }
        return std::make_unique<BoxExecutor>(static_cast<std::size_t>(wanted.requests), kScale);
    };
    surroundings.make_output = [](Size size) { return at::full({3, size.height, size.width}, -1.0F); };
    SteadyEnhancer network(settings, surroundings);
    Outcome outcome;
    TableWays ways;
    ways.fetch = [&](const at::Tensor& table) {
        ++outcome.fetches;
        outcome.fetched_bytes += static_cast<std::int64_t>(table.nbytes());
        return table.contiguous();
    };
    ways.send = [&](const at::Tensor& table) {
        outcome.sent_bytes += static_cast<std::int64_t>(table.nbytes());
        return table.clone();
    };
    ReuseEnhancer enhancer({setup.reuse, kFrame, 1, setup.strips, setup.there ? ways : TableWays()}, network, [] {
        return at::full({3, kFrame.height * kScale, kFrame.width * kScale}, -1.0F);
    });
    MotionOnDemand motion(FlowQuality::full, setup.there);
    std::int64_t expected = setup.first;
    const auto keep = [&](std::optional<EnhancerFrame> done) {
        if (done) {
            EXPECT_EQ(done->index, expected++);
            outcome.outputs.push_back(done->output.clone());
            done->output.fill_(7);   // what comes behind may work in place
        }
        return done.has_value();
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::int64_t index = setup.first + static_cast<std::int64_t>(i);
        Motion followed;
        followed.cut = !motion.follows(inputs[i]);
        enhancer.submit(index, inputs[i], followed, index == setup.restart,
                        setup.flow ? [&] { return motion.flow(); } : FindFlow());
        while (keep(setup.one_at_a_time ? enhancer.drain() : enhancer.poll())) {
        }
    }
    while (keep(enhancer.drain())) {
    }
    outcome.counts = enhancer.counts();
    return outcome;
}

ReuseSettings settings(Reuse reuse, bool tiles_exact = true) {
    Network network;
    network.receptive_radius = 8;
    network.macs_per_pixel = 600'000;
    return reuse_settings(reuse, network, tiles_exact, Precision::fp32);
}

at::Tensor picture(std::uint64_t seed) {
    at::manual_seed(seed);
    const at::Tensor coarse = at::rand({1, 3, kFrame.height / 8, kFrame.width / 8});
    return (at::upsample_bilinear2d(coarse, {kFrame.height, kFrame.width}, false)[0] * 0.8 + 0.1).contiguous();
}

at::Tensor with_square(const at::Tensor& picture, int x, int y, int side = 10) {
    at::Tensor result = picture.clone();
    result.narrow(1, y, side).narrow(2, x, side).fill_(0.9F);
    return result;
}

// A still screen with letterbox bars, a cursor that moves, and repeated frames.
Frames screen() {
    at::Tensor desk = picture(1);
    desk.narrow(1, 0, 16).zero_();
    desk.narrow(1, kFrame.height - 16, 16).zero_();
    Frames frames;
    for (int i = 0; i < 12; ++i) {
        frames.push_back(with_square(desk, 20 + 6 * (i / 2), 40));
    }
    return frames;
}

Frames noisy(int count, double strength) {
    const at::Tensor still = picture(2);
    Frames frames;
    for (int i = 0; i < count; ++i) {
        frames.push_back(still + at::randn({3, kFrame.height, kFrame.width}) * (strength / 255));
    }
    return frames;
}

double error(const at::Tensor& a, const at::Tensor& b) {
    return 255 * (a - b).square().mean().sqrt().item<double>();
}

void expect_equal(const Frames& a, const Frames& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_TRUE(at::equal(a[i], b[i])) << "frame " << i;
    }
}

TEST(Reuse, exact_gives_what_off_gives_bit_for_bit_for_a_part_of_the_work) {
    const Frames frames = screen();
    const Outcome off = run(frames, {});
    const Outcome exact = run(frames, {.reuse = settings(Reuse::exact)});
    expect_equal(exact.outputs, off.outputs);
    EXPECT_LT(exact.counts.computed_frames, 0.35 * 12);
    EXPECT_EQ(exact.counts.whole_frames, 1);
    EXPECT_EQ(off.counts.computed_frames, 12);
}

TEST(Reuse, a_whole_frame_in_strips_is_the_same_bit_for_bit) {
    Frames frames = screen();
    frames.push_back(picture(4));
    for (const Reuse reuse : {Reuse::exact, Reuse::safe}) {
        const Outcome whole = run(frames, {.reuse = settings(reuse)});
        const Outcome strips = run(frames, {.reuse = settings(reuse), .strips = 3});
        expect_equal(strips.outputs, whole.outputs);
        EXPECT_EQ(strips.counts.whole_frames, 2);
        EXPECT_GT(strips.counts.computed_frames, whole.counts.computed_frames) << "what is around them counts";
    }
}

TEST(Reuse, strips_are_much_higher_than_what_is_around_them) {
    EXPECT_EQ(strips_for(2, {640, 480}, 19), 2);
    EXPECT_EQ(strips_for(8, {640, 480}, 19), 4);
    EXPECT_EQ(strips_for(8, {640, 480}, 200), 1);
    EXPECT_EQ(strips_for(1, {640, 480}, 19), 1);
}

TEST(Reuse, exact_decides_and_gives_the_same_by_tensor_operations_and_fetches_a_byte_for_64_pixels) {
    Frames frames = screen();
    frames.push_back(with_square(frames.back(), kFrame.width - 1, kFrame.height - 1, 1));
    frames.push_back(frames.back().clone());
    frames.back()[1][0][0] = -0.0F;   // equal to 0, but not the same
    for (const bool tiles_exact : {true, false}) {
        const Outcome here = run(frames, {.reuse = settings(Reuse::exact, tiles_exact)});
        const Outcome there = run(frames, {.reuse = settings(Reuse::exact, tiles_exact), .there = true});
        expect_equal(there.outputs, here.outputs);
        EXPECT_EQ(there.counts.computed_frames, here.counts.computed_frames);
        EXPECT_EQ(there.counts.whole_frames, here.counts.whole_frames);
        EXPECT_GT(there.counts.frames, there.counts.whole_frames);
        EXPECT_EQ(here.fetched_bytes, 0);
        EXPECT_EQ(there.fetched_bytes, 13 * kFrame.width * kFrame.height / 64) << "not for the first";
    }
}

// Pictures of three kinds: still with a square that moves and noise, a pan, and noise that changes its brightness.
Frames of_every_kind() {
    Frames frames;
    at::manual_seed(11);
    const at::Tensor desk = picture(12);
    for (int i = 0; i < 20; ++i) {
        frames.push_back(with_square(desk, 20 + 5 * i, 40, 14) +
                         at::randn({3, kFrame.height, kFrame.width}) * (0.8 / 255));
    }
    const at::Tensor wide = at::upsample_bicubic2d(at::rand({1, 3, 40, 60}), {240, 360}, false)[0].clamp(0, 1);
    for (int i = 0; i < 20; ++i) {
        frames.push_back(wide.narrow(1, 40 + i / 2, kFrame.height).narrow(2, 20 + 2 * i, kFrame.width).contiguous());
    }
    for (int i = 0; i < 20; ++i) {
        frames.push_back(desk + 0.3 * i / 255 + at::randn({3, kFrame.height, kFrame.width}) * (0.5 / 255));
    }
    return frames;
}

TEST(BlockMeasures, tables_of_tensor_operations_are_those_of_the_loops_but_for_rounding) {
    TableWays ways;
    ways.fetch = [](const at::Tensor& table) { return table.contiguous(); };
    ways.send = [](const at::Tensor& table) { return table.clone(); };
    const auto largest_difference = [](const BlockGrid<float>& a, const BlockGrid<float>& b) {
        float largest = 0;
        EXPECT_EQ(a.values.size(), b.values.size());
        for (std::size_t i = 0; i < a.values.size(); ++i) {
            largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
        }
        return largest;
    };
    for (const Size frame : {Size{64, 48}, Size{75, 53}, Size{17, 9}, Size{5, 3}}) {
        SCOPED_TRACE(std::to_string(frame.width) + "x" + std::to_string(frame.height));
        at::manual_seed(13);
        const at::Tensor before = at::rand({3, frame.height, frame.width});
        const at::Tensor base = before + at::rand_like(before) * 0.1;
        const at::Tensor now = before + at::rand_like(before) * 0.2;
        const at::Tensor flow = at::randn({2, frame.height, frame.width}) * 6;
        BlockGrid<BlockSource> source(frame, BlockSource::still);
        for (std::size_t i = 0; i < source.values.size(); i += 2) {
            source.values[i] = BlockSource::computed;
        }
        const auto host = measures_on_host(frame);
        const auto device = measures_on_device(frame, ways);
        const auto still_here = host->still(now, base);
        const auto still_there = device->still(now, base);
        EXPECT_LT(largest_difference(still_here.peak, still_there.peak), 1e-6);
        EXPECT_LT(largest_difference(still_here.busy, still_there.busy), 1e-4);
        auto here = host->moved(now, before, base, flow, source);
        auto there = device->moved(now, before, base, flow, source);
        EXPECT_TRUE(at::allclose(here.before, there.before, 0, 1e-4));
        EXPECT_TRUE(at::allclose(here.base, there.base, 0, 1e-4));
        EXPECT_LT(largest_difference(here.peak, there.peak), 1e-5);
        EXPECT_EQ(largest_difference(here.flow_x, there.flow_x), 0);
        EXPECT_EQ(largest_difference(here.flow_y, there.flow_y), 0);
        const at::Tensor unlike = here.before.clone();
        host->take_computed(source, now, here.before, here.base);
        const at::Tensor table = device->take_computed(source, now, there.before, there.base);
        EXPECT_FALSE(at::equal(here.before, unlike));
        EXPECT_TRUE(at::allclose(here.before, there.before, 0, 1e-4));
        EXPECT_TRUE(at::allclose(here.base, there.base, 0, 1e-4));
        EXPECT_EQ(table.numel(), std::ssize(source.values));
        const at::Tensor seen = host->seen(now, base, still_here.busy);
        EXPECT_TRUE(at::allclose(device->seen(now, base, still_here.busy), seen, 0, 1e-5));
        EXPECT_FALSE(at::allclose(seen, now, 0, 1e-3));
    }
}

// Share of the blocks of which `a` and `b` decide otherwise, over frames that both know.
double decided_otherwise(Reuse reuse, const Frames& frames) {
    TableWays ways;
    ways.fetch = [](const at::Tensor& table) { return table.contiguous(); };
    ways.send = [](const at::Tensor& table) { return table.clone(); };
    ReusePlanner here(settings(reuse), kFrame);
    ReusePlanner there(settings(reuse), kFrame, ways);
    MotionOnDemand motion(FlowQuality::full);
    std::int64_t blocks = 0;
    std::int64_t others = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        Motion followed;
        followed.cut = !motion.follows(frames[i]);
        if (!followed.cut) {
            followed.flow = motion.flow();
        }
        const ReusePlan a = here.next(static_cast<std::int64_t>(i), frames[i], followed, false);
        const ReusePlan b = there.next(static_cast<std::int64_t>(i), frames[i], followed, false);
        const BlockGrid<BlockSource> all(kFrame, BlockSource::computed);
        const auto& first = a.whole ? all.values : a.source.values;
        const auto& second = b.whole ? all.values : b.source.values;
        for (std::size_t block = 0; block < first.size(); ++block) {
            ++blocks;
            others += first[block] != second[block] ? 1 : 0;
        }
    }
    return static_cast<double>(others) / static_cast<double>(blocks);
}

TEST(Reuse, tensor_operations_lead_to_the_same_decisions_for_999_of_1000_blocks) {
    for (const Reuse reuse : {Reuse::safe, Reuse::fast}) {
        EXPECT_LT(decided_otherwise(reuse, of_every_kind()), 0.001);
    }
}

TEST(Reuse, by_tensor_operations_pictures_are_those_of_the_loops_to_55_db) {
    const Frames frames = of_every_kind();
    for (const Reuse reuse : {Reuse::safe, Reuse::fast}) {
        for (const bool flow : {false, true}) {
            const Outcome here = run(frames, {.reuse = settings(reuse), .flow = flow});
            const Outcome there = run(frames, {.reuse = settings(reuse), .flow = flow, .there = true});
            ASSERT_EQ(there.outputs.size(), here.outputs.size());
            EXPECT_LT(there.counts.computed_frames, 0.75 * static_cast<double>(frames.size()));
            EXPECT_NEAR(there.counts.computed_frames, here.counts.computed_frames,
                        0.02 * static_cast<double>(frames.size()));
            EXPECT_EQ(there.counts.checks, here.counts.checks);
            EXPECT_GT(there.counts.checks, 0);
            EXPECT_NEAR(there.counts.check_errors, here.counts.check_errors, 0.01);
            for (std::size_t i = 0; i < frames.size(); ++i) {
                EXPECT_LT(error(there.outputs[i], here.outputs[i]), 0.45) << "frame " << i << ": 55 dB";
            }
        }
    }
}

TEST(Reuse, by_tensor_operations_a_table_or_two_of_a_few_numbers_a_block_is_all_that_is_fetched) {
    const Frames frames = of_every_kind();
    const auto count = static_cast<std::int64_t>(frames.size());
    const std::int64_t blocks = (kFrame.width / kBlock) * (kFrame.height / kBlock);
    const Outcome still = run(frames, {.reuse = settings(Reuse::safe), .there = true});
    EXPECT_LE(still.fetches, count + still.counts.checks) << "none for a cut";
    EXPECT_LE(still.fetched_bytes, count * blocks * 2 * 4 + still.counts.checks * 4);
    EXPECT_LE(still.sent_bytes, count * blocks * (1 + 4));
    const Outcome moved = run(frames, {.reuse = settings(Reuse::safe), .flow = true, .there = true});
    EXPECT_GT(moved.fetches, still.fetches);
    EXPECT_LE(moved.fetches, 2 * count + moved.counts.checks);
    EXPECT_LE(moved.fetched_bytes, count * blocks * 5 * 4 + moved.counts.checks * 4);
    EXPECT_LE(moved.sent_bytes, count * blocks * (2 + 4));
}

TEST(Reuse, by_tensor_operations_what_it_works_in_is_planned) {
    constexpr Size kLarge{640, 352};
    at::manual_seed(14);
    const at::Tensor wide = at::upsample_bicubic2d(at::rand({1, 3, 60, 100}), {480, 800}, false)[0].clamp(0, 1);
    CountedMemory memory;
    {
        TableWays ways;
        ways.fetch = [](const at::Tensor& table) { return table.contiguous(); };
        ways.send = [](const at::Tensor& table) { return table.clone(); };
        const ReuseSettings fast = settings(Reuse::fast);
        ReusePlanner planner(fast, kLarge, ways);
        MotionOnDemand motion(FlowQuality::full, true);
        const std::uint64_t input_bytes = 3 * sizeof(float) * kLarge.width * kLarge.height;
        const std::uint64_t planned = reuse_work_there(kLarge, kScale);
        std::uint64_t searching = 0;
        std::uint64_t together = 0;
        int put = 0;
        for (int i = 0; i < 4; ++i) {
            const at::Tensor input =
                wide.narrow(1, 60 + i, kLarge.height).narrow(2, 80 + 2 * i, kLarge.width).contiguous();
            Motion followed;
            followed.cut = !motion.follows(input);
            memory.take_peak();
            const std::uint64_t before = memory.live() + 2 * input_bytes;   // what it keeps of a frame
            const ReusePlan plan = planner.next(i, input, followed, false, [&motion] { return motion.flow(); });
            if (plan.whole) {
                continue;
            }
            searching = std::max(searching, memory.take_peak() - before);
            const std::vector<std::int64_t> shape{3, kLarge.height * kScale, kLarge.width * kScale};
            const at::Tensor last = at::rand(shape);
            at::Tensor output = at::empty(shape);
            Frames results;
            for (const Rectangle& area : plan.areas) {
                const Rectangle read = enlarged(in_pixels(area, kLarge, fast.halo), kScale);
                results.push_back(at::rand({3, read.height(), read.width()}));
            }
            memory.take_peak();
            const std::uint64_t begun = memory.live();
            put_together_there({plan, input, last, results}, fast, output);
            together = std::max(together, memory.take_peak() - begun);
            put += plan.flow.defined() ? 1 : 0;
        }
        EXPECT_GT(put, 0);
        EXPECT_LE(searching + together, planned) << searching << " + " << together;
        EXPECT_GT(searching + together, planned / 2) << "not far more than it takes";
    }
    EXPECT_EQ(memory.live(), 0U);
}

TEST(Reuse, exact_computes_everything_where_everything_changes_a_little) {
    const Frames frames = noisy(5, 1);
    const Outcome exact = run(frames, {.reuse = settings(Reuse::exact)});
    expect_equal(exact.outputs, run(frames, {}).outputs);
    EXPECT_EQ(exact.counts.whole_frames, 5);
}

TEST(Reuse, exact_keeps_only_whole_frames_where_tiles_leave_seams) {
    const Frames frames = screen();
    const Outcome exact = run(frames, {.reuse = settings(Reuse::exact, false)});
    expect_equal(exact.outputs, run(frames, {}).outputs);
    EXPECT_EQ(exact.counts.computed_frames, 6) << "each picture comes twice";
}

TEST(Reuse, frames_that_repeat_come_out_the_same_and_cost_nothing) {
    const Frames frames(20, picture(3));
    for (const Reuse reuse : {Reuse::exact, Reuse::safe, Reuse::fast}) {
        const Outcome outcome = run(frames, {.reuse = settings(reuse)});
        EXPECT_EQ(outcome.counts.computed_frames, 1);
        expect_equal(outcome.outputs, Frames(20, outcome.outputs[0]));
    }
}

TEST(Reuse, what_differs_little_is_carried_on_within_bounds) {
    const Frames frames = noisy(30, 0.8);
    const Outcome off = run(frames, {});
    const Outcome safe = run(frames, {.reuse = settings(Reuse::safe)});
    EXPECT_LT(safe.counts.computed_frames, 0.2 * 30);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_LT(error(safe.outputs[i], off.outputs[i]), 1.5) << i;
    }
}

TEST(Reuse, slow_changes_are_followed) {
    Frames frames;
    const at::Tensor still = picture(4);
    for (int i = 0; i < 40; ++i) {
        frames.push_back(still + 0.2 * i / 255);
    }
    const Outcome off = run(frames, {});
    const Outcome safe = run(frames, {.reuse = settings(Reuse::safe)});
    EXPECT_LT(safe.counts.whole_frames, 10);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_LT(error(safe.outputs[i], off.outputs[i]), 0.4) << i << ": a box blur's zero border sees the change";
    }
}

TEST(Reuse, what_is_carried_on_does_not_add_up) {
    Frames frames = noisy(20, 0.8);
    frames.push_back(frames.front().clone());
    ReuseSettings unchecked = settings(Reuse::fast);
    unchecked.check_every = 0;
    const Outcome outcome = run(frames, {.reuse = unchecked});
    ASSERT_EQ(outcome.counts.computed_frames, 1);
    EXPECT_GT(error(outcome.outputs[19], outcome.outputs[0]), 0.1);
    EXPECT_LT(error(outcome.outputs[20], outcome.outputs[0]), 1e-3) << "the first frame again";
}

// Codes of a difference of so many that show, in the middle of a block that is `busy`; the pixels it has differ in sign
// where there is a `sign`.
double shown(double codes, float busy, const at::Tensor& sign = {}) {
    const at::Tensor base = at::full({3, kFrame.height, kFrame.width}, 0.5F);
    const at::Tensor added = (sign.defined() ? sign : at::ones({kFrame.height, kFrame.width})) * (codes / 255);
    const at::Tensor found = shown_difference(base + added, base, shown_shares(BlockGrid<float>(kFrame, busy)));
    const at::Tensor own = found[1][56][80];
    return 255 * own.item<double>();
}

TEST(Reuse, grain_hardly_shows_in_flat_blocks_and_what_is_larger_than_a_pixel_does) {
    const at::Tensor column = at::arange(kFrame.width).remainder(2) * -2 + 1;
    const at::Tensor grain = column.unsqueeze(0) * column.narrow(0, 0, kFrame.height).unsqueeze(1);
    EXPECT_NEAR(shown(3, 0), 3, 1e-3) << "brighter everywhere";
    EXPECT_NEAR(shown(3, 20), 3, 1e-3);
    EXPECT_NEAR(shown(3, 0, grain), 0, 0.1);
    EXPECT_NEAR(shown(3, 2, grain), 0.35 * 3, 0.1) << "half of the largest share";
    EXPECT_NEAR(shown(3, 200, grain), 0.7 * 3, 0.1);
    EXPECT_NEAR(shown(40, 0, grain), 40, 0.1) << "no grain is as strong as that";
}

TEST(Reuse, a_moving_picture_is_carried_along_with_its_motion) {
    at::manual_seed(5);
    const at::Tensor wide = at::upsample_bicubic2d(at::rand({1, 3, 40, 60}), {240, 360}, false)[0].clamp(0, 1);
    Frames frames;
    for (int i = 0; i < 8; ++i) {
        frames.push_back(wide.narrow(1, 40, kFrame.height).narrow(2, 20 + 2 * i, kFrame.width).contiguous());
    }
    const Outcome off = run(frames, {});
    const Outcome still = run(frames, {.reuse = settings(Reuse::fast)});
    const Outcome moved = run(frames, {.reuse = settings(Reuse::fast), .flow = true});
    EXPECT_LT(moved.counts.computed_frames, 0.75 * still.counts.computed_frames);
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_LT(error(moved.outputs[i], off.outputs[i]), 4.5) << i;
    }
}

TEST(Reuse, a_cut_is_computed_as_a_whole) {
    Frames frames(4, (picture(6) * 0.2).contiguous());
    frames.insert(frames.end(), 4, (picture(7) * 0.2 + 0.7).contiguous());
    const Outcome safe = run(frames, {.reuse = settings(Reuse::safe)});
    EXPECT_EQ(safe.counts.whole_frames, 2);
    EXPECT_TRUE(at::equal(safe.outputs[4], run({frames[4]}, {}).outputs[0]));
}

TEST(Reuse, noise_goes_the_plain_way) {
    const Frames frames = noisy(6, 20);
    const Outcome safe = run(frames, {.reuse = settings(Reuse::safe)});
    EXPECT_EQ(safe.counts.whole_frames, 6);
    EXPECT_EQ(safe.counts.computed_frames, 6);
    expect_equal(safe.outputs, run(frames, {}).outputs);
}

// How often a planner asks for a flow, which is none.
int searches_in(ReusePlanner& planner, const Frames& frames) {
    int searches = 0;
    Motion goes_on;
    goes_on.cut = false;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        planner.next(static_cast<std::int64_t>(i), frames[i], goes_on, false, [&] {
            ++searches;
            return at::zeros({2, kFrame.height, kFrame.width});
        });
    }
    return searches;
}

TEST(Reuse, motion_is_searched_for_ever_less_often_where_it_finds_nothing) {
    const Frames frames = noisy(40, 20);
    ReusePlanner planner(settings(Reuse::safe), kFrame);
    EXPECT_EQ(searches_in(planner, frames), 6) << "in frames 1, 3, 6, 11, 20 and 37";
    planner.reset();
    EXPECT_EQ(searches_in(planner, frames), 6) << "a restart forgets what was found";
}

TEST(Reuse, motion_is_searched_for_in_every_frame_as_long_as_that_pays) {
    const at::Tensor wide = at::upsample_bicubic2d(at::rand({1, 3, 40, 60}), {240, 360}, false)[0].clamp(0, 1);
    ReusePlanner planner(settings(Reuse::fast), kFrame);
    int searches = 0;
    Motion goes_on;
    goes_on.cut = false;
    for (int i = 0; i < 8; ++i) {
        const at::Tensor shifted = wide.narrow(1, 40, kFrame.height).narrow(2, 20 + 2 * i, kFrame.width).contiguous();
        planner.next(i, shifted, goes_on, false, [&] {
            ++searches;
            return at::stack({at::full({kFrame.height, kFrame.width}, 2.0F), at::zeros({kFrame.height, kFrame.width})});
        });
    }
    EXPECT_EQ(searches, 7);
}

TEST(Reuse, a_faster_network_asks_for_more_before_motion_is_searched_for) {
    Network network;
    network.macs_per_pixel = 600'000;
    EXPECT_LT(reuse_settings(Reuse::safe, network, true, Precision::fp32).flow_cost,
              reuse_settings(Reuse::safe, network, true, Precision::bf16).flow_cost);
}

TEST(Reuse, nothing_that_changes_grows_older_than_allowed) {
    ReuseSettings limited = settings(Reuse::safe);
    limited.still_age = 5;
    limited.check_every = 0;
    const Frames frames = noisy(18, 0.5);
    const Outcome outcome = run(frames, {.reuse = limited});
    EXPECT_EQ(outcome.counts.computed_frames, 3) << "frames 0, 6 and 12";
    EXPECT_TRUE(at::equal(outcome.outputs[12], run({frames[12]}, {}).outputs[0]));
}

TEST(Reuse, no_edge_shows_around_what_is_computed) {
    // The picture grows brighter until a part is computed anew, while a square keeps its surroundings busy.
    Frames frames;
    const at::Tensor still = picture(8);
    for (int i = 0; i < 12; ++i) {
        frames.push_back(with_square(still + 0.15 * i / 255, 60 + 2 * i, 50, 8));
    }
    const Outcome off = run(frames, {});
    const Outcome safe = run(frames, {.reuse = settings(Reuse::safe)});
    ASSERT_LT(safe.counts.computed_frames, 6);
    for (std::size_t i = 1; i < frames.size(); ++i) {
        const at::Tensor wrong = safe.outputs[i] - off.outputs[i];
        const double steepest =
            255 * std::max(wrong.diff(1, 1).abs().max().item<double>(), wrong.diff(1, 2).abs().max().item<double>());
        EXPECT_LT(steepest, 1.0) << "frame " << i << ": codes from one pixel to the next that are not the picture's";
    }
}

TEST(Reuse, a_check_that_finds_too_much_tightens_the_thresholds) {
    // Around the step of the executor's curve every bit of noise flips pixels by 0.2.
    Frames frames;
    at::manual_seed(9);
    for (int i = 0; i < 40; ++i) {
        frames.push_back(at::full({3, kFrame.height, kFrame.width}, 0.5F) +
                         at::randn({3, kFrame.height, kFrame.width}) * (1.5 / 255));
    }
    const Outcome found = run(frames, {.reuse = settings(Reuse::safe), .step = true});
    EXPECT_GE(found.counts.checks, 1);
    EXPECT_GE(found.counts.tightened, 1);
    EXPECT_GT(found.counts.worst_error, settings(Reuse::safe).check_most);
    ReuseSettings unchecked = settings(Reuse::safe);
    unchecked.check_every = 0;
    const Outcome blind = run(frames, {.reuse = unchecked, .step = true});
    EXPECT_EQ(blind.counts.checks, 0);
    EXPECT_GT(found.counts.computed_frames, 1.3 * blind.counts.computed_frames);
}

TEST(Reuse, checks_that_find_nothing_change_nothing) {
    const Frames frames = noisy(30, 0.8);
    ReuseSettings unchecked = settings(Reuse::safe);
    unchecked.check_every = 0;
    const Outcome with = run(frames, {.reuse = settings(Reuse::safe)});
    expect_equal(with.outputs, run(frames, {.reuse = unchecked}).outputs);
    EXPECT_EQ(with.counts.checks, 2);
    EXPECT_EQ(with.counts.tightened, 0);
    EXPECT_LT(with.counts.worst_error, settings(Reuse::safe).check_most);
}

TEST(Reuse, neither_tiles_nor_waiting_change_the_result) {
    Frames frames = screen();
    for (at::Tensor& frame : frames) {
        frame = frame + at::randn({3, kFrame.height, kFrame.width}) * (0.8 / 255);
    }
    const Outcome whole = run(frames, {.reuse = settings(Reuse::safe), .flow = true});
    const Outcome tiled = run(frames, {.reuse = settings(Reuse::safe), .tile = {40, 32}, .flow = true});
    const Outcome waited = run(frames, {.reuse = settings(Reuse::safe), .one_at_a_time = true, .flow = true});
    ASSERT_LT(whole.counts.computed_frames, 0.7 * 12);
    expect_equal(tiled.outputs, whole.outputs);
    expect_equal(waited.outputs, whole.outputs);
}

TEST(Reuse, after_a_restart_nothing_before_it_counts) {
    for (const Reuse reuse : {Reuse::safe, Reuse::exact}) {
        const Frames frames = noisy(40, reuse == Reuse::exact ? 0 : 0.8);
        for (const bool there : {false, true}) {
            const Outcome all = run(frames, {.reuse = settings(reuse), .restart = 13, .flow = true, .there = there});
            const Frames rest(frames.begin() + 13, frames.end());
            const Outcome late =
                run(rest, {.reuse = settings(reuse), .first = 13, .restart = 13, .flow = true, .there = there});
            expect_equal(Frames(all.outputs.begin() + 13, all.outputs.end()), late.outputs);
        }
    }
}

}   // namespace
}   // namespace millstream
