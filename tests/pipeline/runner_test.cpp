#include "pipeline/runner.h"

#include <ATen/Functions.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "millstream/error.h"

namespace millstream {
namespace {

using testing::HasSubstr;

constexpr std::size_t kFrameBytes = 3 * 4 * 4 * sizeof(float);

class CountingSource : public Source {
public:
    CountingSource(LiveFrames& live, int count) : live_(live), count_(count) {}
    std::string_view name() const override { return "source"; }
    std::optional<Frame> next() override {
        if (made_ == count_) {
            return std::nullopt;
        }
        Frame frame(live_, made_++);
        frame.input = at::full({3, 4, 4}, static_cast<double>(frame.index));
        return frame;
    }

private:
    LiveFrames& live_;
    int count_;
    int made_ = 0;
};

// Holds `depth` frames back, as an encoder or a network with requests in flight does.
class DelayStage : public Stage {
public:
    explicit DelayStage(std::size_t depth) : depth_(depth) {}
    std::string_view name() const override { return "delay"; }
    void process(Item item, const Emit& emit) override {
        if (std::holds_alternative<Frame>(item)) {
            held_.push_back(std::get<Frame>(std::move(item)));
            if (held_.size() > depth_) {
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
        held_.erase(held_.begin());
        emit(std::move(frame));
    }
    std::size_t depth_;
    std::vector<Frame> held_;
};

class RecordStage : public Stage {
public:
    std::string_view name() const override { return "record"; }
    void process(Item item, const Emit& /*emit*/) override {
        if (const auto* frame = std::get_if<Frame>(&item)) {
            EXPECT_EQ(ends, 0);
            indices.push_back(frame->index);
            if (frame->index == fail_at) {
                throw std::runtime_error("disk full");
            }
            return;
        }
        ++ends;
    }
    std::vector<std::int64_t> indices;
    int ends = 0;
    std::int64_t fail_at = -1;
};

using RunFunction = std::vector<StageTime> (*)(Source&, const std::vector<StageGroup>&, const Tick&);

class BothRunners : public testing::TestWithParam<RunFunction> {};

TEST_P(BothRunners, every_frame_arrives_once_in_order_and_the_end_comes_last) {
    LiveFrames live;
    CountingSource source(live, 500);
    DelayStage delay(3);
    DelayStage again(5);
    RecordStage record;
    const auto times = GetParam()(source, {{{&delay, &again}, 4 * kFrameBytes}, {{&record}, 2 * kFrameBytes}}, [] {});
    ASSERT_EQ(record.indices.size(), 500U);
    for (std::size_t i = 0; i < record.indices.size(); ++i) {
        EXPECT_EQ(record.indices[i], static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(record.ends, 1);
    EXPECT_EQ(live.now(), 0);
    ASSERT_EQ(times.size(), 4U);
    EXPECT_EQ(times[0].name, "source");
    EXPECT_EQ(times[3].name, "record");
}

TEST_P(BothRunners, live_frames_stay_within_queues_and_working_sets) {
    LiveFrames live;
    CountingSource source(live, 500);
    DelayStage delay(3);
    RecordStage record;
    GetParam()(source, {{{&delay}, 4 * kFrameBytes}, {{&record}, 2 * kFrameBytes}}, [] {});
    // source 1, queue 4, delay 3 held + 1 in hand, queue 2, record 1
    EXPECT_LE(live.peak(), 12);
    EXPECT_GE(live.peak(), 4);
}

TEST_P(BothRunners, a_failing_stage_ends_the_run_with_its_own_error) {
    LiveFrames live;
    CountingSource source(live, 500);
    DelayStage delay(3);
    RecordStage record;
    record.fail_at = 7;
    EXPECT_THROW(
        {
            try {
                GetParam()(source, {{{&delay}, 4 * kFrameBytes}, {{&record}, kFrameBytes}}, [] {});
            } catch (const std::runtime_error& error) {
                EXPECT_EQ(std::string(error.what()), "disk full");
                throw;
            }
        },
        std::runtime_error);
    EXPECT_EQ(record.indices.size(), 8U);
}

// Fails as libc10's allocator does, which has no type of its own for it.
class ShortStage : public Stage {
public:
    std::string_view name() const override { return "short"; }
    void process(Item item, const Emit& emit) override {
        const auto* frame = std::get_if<Frame>(&item);
        if (frame != nullptr && frame->index == 3) {
            throw std::runtime_error(
                "[enforce fail at alloc_cpu.cpp:130] . DefaultCPUAllocator: can't allocate memory");
        }
        emit(std::move(item));
    }
};

TEST_P(BothRunners, r6_4_a_lack_of_memory_in_any_stage_says_where_and_how_to_go_on) {
    LiveFrames live;
    CountingSource source(live, 8);
    DelayStage first(1);
    ShortStage second;
    RecordStage record;
    try {
        GetParam()(source, {{{&first, &second}, kFrameBytes}, {{&record}, kFrameBytes}}, [] {});
        FAIL() << "it must not go on";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resource);
        EXPECT_THAT(error.what(), HasSubstr("\"short\""));
        EXPECT_THAT(error.what(), HasSubstr("frame 3"));
        EXPECT_THAT(error.context().hint, HasSubstr("--max-memory"));
    }
    EXPECT_LE(record.indices.size(), 3U);
}

TEST(RunThreaded, tells_what_took_the_time_also_where_a_stage_fails) {
    LiveFrames live;
    CountingSource source(live, 8);
    ShortStage stage;
    std::vector<StageTime> times;
    EXPECT_THROW(run_threaded(
                     source, {{{&stage}, kFrameBytes}}, [] {}, nullptr, &times),
                 Error);
    ASSERT_EQ(times.size(), 2U);
    EXPECT_EQ(times[0].name, "source");
    EXPECT_GT(times[1].busy_s, 0);
}

TEST_P(BothRunners, an_empty_source_still_ends_properly) {
    LiveFrames live;
    CountingSource source(live, 0);
    RecordStage record;
    GetParam()(source, {{{&record}, kFrameBytes}}, [] {});
    EXPECT_EQ(record.ends, 1);
}

std::vector<StageTime> run_with_threads(Source& source, const std::vector<StageGroup>& groups, const Tick& tick) {
    return run_threaded(source, groups, tick);
}

INSTANTIATE_TEST_SUITE_P(Runner, BothRunners, testing::Values(&run_serial, &run_with_threads),
                         [](const auto& chosen) { return chosen.param == &run_serial ? "serial" : "threaded"; });

}   // namespace
}   // namespace millstream
