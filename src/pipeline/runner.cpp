#include "pipeline/runner.h"

#include <c10/core/InferenceMode.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/queue.h"
#include "base/thread.h"
#include "pipeline/shortage.h"

namespace millstream {
namespace {

using Clock = std::chrono::steady_clock;
using ItemQueue = BoundedQueue<Item>;
constexpr std::chrono::milliseconds kTickInterval{100};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr std::int64_t kNoFrame = -1;

std::int64_t index_of(const Item& item) {
    const auto* frame = std::get_if<Frame>(&item);
    return frame == nullptr ? kNoFrame : frame->index;
}

std::string frame_words(std::int64_t index) {
    return index == kNoFrame ? "the last frames" : "frame " + std::to_string(index);
}

// What a lack of memory is called: the libraries say neither where nor what to do.
std::string stage_words(std::string_view stage) {
    return "working on a frame in stage \"" + std::string(stage) + "\"";
}

std::optional<Frame> next_of(Source& source) {
    try {
        return source.next();
    } catch (...) {
        throw_shortage(stage_words(source.name()), "");
    }
}

// Stages called one inside the other; what the last one emits goes to `out`. Keeps each stage's own time.
class Chain {
public:
    Chain(std::vector<Stage*> stages, Emit out) : stages_(std::move(stages)), out_(std::move(out)) {
        for (const Stage* stage : stages_) {
            times_.push_back({.name = std::string(stage->name())});
        }
    }

    void process(Item item) { process_from(0, std::move(item)); }
    [[nodiscard]] std::vector<StageTime>& times() { return times_; }

private:
    void process_from(std::size_t i, Item item) {
        if (i == stages_.size()) {
            const auto start = Clock::now();
            out_(std::move(item));
            times_.back().wait_output_s += seconds_since(start);
            return;
        }
        const auto start = Clock::now();
        const std::int64_t index = index_of(item);
        double inner_s = 0;
        try {
            stages_[i]->process(std::move(item), [&](Item emitted) {
                const auto inner = Clock::now();
                process_from(i + 1, std::move(emitted));
                inner_s += seconds_since(inner);
            });
        } catch (...) {   // of a stage behind this one it is an Error already
            throw_shortage(stage_words(stages_[i]->name()), frame_words(index));
        }
        times_[i].busy_s += seconds_since(start) - inner_s;
    }

    std::vector<Stage*> stages_;
    Emit out_;
    std::vector<StageTime> times_;
};

// One threaded run: queues, threads and the first failure. The calling thread waits in wait().
class ThreadedRun {
public:
    ThreadedRun(Source& source, const std::vector<StageGroup>& groups, const std::atomic<bool>* short_queues)
        : source_(source), groups_(groups), short_queues_(short_queues) {
        for (const StageGroup& group : groups) {
            queues_.push_back(std::make_unique<ItemQueue>(group.queue_bytes));
        }
        for (std::size_t i = 0; i < groups.size(); ++i) {
            ItemQueue* next = i + 1 < groups.size() ? queues_[i + 1].get() : nullptr;
            chains_.push_back(
                std::make_unique<Chain>(groups[i].stages, [next](Item item) { hand_on(next, std::move(item)); }));
        }
        running_ = groups.size() + 1;
        source_time_.name = source.name();
    }

    std::vector<StageTime> run(const Tick& tick, std::vector<StageTime>* at_failure) {
        std::vector<NamedThread> threads;
        threads.reserve(queues_.size() + 1);
        threads.emplace_back(source_time_.name, [this] { guarded([this] { pump_source(); }); });
        for (std::size_t i = 0; i < chains_.size(); ++i) {
            threads.emplace_back(chains_[i]->times().front().name, [this, i] { guarded([this, i] { pump(i); }); });
        }
        wait(tick);
        threads.clear();   // joins
        std::vector<StageTime> times{source_time_};
        for (const auto& chain : chains_) {
            times.insert(times.end(), chain->times().begin(), chain->times().end());
        }
        if (failure_) {
            if (at_failure != nullptr) {
                *at_failure = std::move(times);
            }
            std::rethrow_exception(failure_);
        }
        return times;
    }

private:
    static void hand_on(ItemQueue* queue, Item item) {
        if (queue == nullptr) {
            return;
        }
        const bool ends = std::holds_alternative<Mark>(item);
        const std::size_t bytes = item_bytes(item);
        queue->push(std::move(item), bytes);
        if (ends) {
            queue->close();
        }
    }

    void pump_source() {
        for (;;) {
            auto start = Clock::now();
            std::optional<Frame> frame = next_of(source_);
            source_time_.busy_s += seconds_since(start);
            start = Clock::now();
            const bool ends = !frame;
            hand_on(queues_.front().get(), ends ? Item{Mark::end_of_stream} : Item{*std::move(frame)});
            source_time_.wait_output_s += seconds_since(start);
            if (ends) {
                return;
            }
        }
    }

    void pump(std::size_t i) {
        for (;;) {
            const auto start = Clock::now();
            std::optional<Item> item = queues_[i]->pop();
            chains_[i]->times().front().wait_input_s += seconds_since(start);
            if (!item) {
                return;
            }
            chains_[i]->process(*std::move(item));
        }
    }

    template <class Body>
    void guarded(Body body) {
        try {
            const c10::InferenceMode inference;   // thread-local: nothing here ever needs a gradient
            body();
        } catch (...) {
            fail(std::current_exception());
        }
        const std::lock_guard lock(mutex_);
        --running_;
        ended_.notify_all();
    }

    void fail(const std::exception_ptr& failure) {
        {
            const std::lock_guard lock(mutex_);
            if (!failure_) {
                failure_ = failure;
            }
        }
        for (const auto& queue : queues_) {
            queue->fail(failure);
        }
    }

    void wait(const Tick& tick) {
        std::unique_lock lock(mutex_);
        while (!ended_.wait_for(lock, kTickInterval, [this] { return running_ == 0; })) {
            lock.unlock();
            set_queue_bounds();
            try {
                tick();
            } catch (...) {
                fail(std::current_exception());
            }
            lock.lock();
        }
    }

    void set_queue_bounds() {
        const bool wanted = short_queues_ != nullptr && short_queues_->load();
        if (wanted == shortened_) {
            return;
        }
        shortened_ = wanted;
        for (std::size_t i = 0; i < queues_.size(); ++i) {
            queues_[i]->set_max_bytes(wanted ? 1 : groups_[i].queue_bytes);   // a larger item passes through alone
        }
    }

    Source& source_;
    const std::vector<StageGroup>& groups_;
    const std::atomic<bool>* short_queues_;
    bool shortened_ = false;
    StageTime source_time_;
    std::vector<std::unique_ptr<ItemQueue>> queues_;
    std::vector<std::unique_ptr<Chain>> chains_;
    std::mutex mutex_;
    std::condition_variable ended_;
    // protected by mutex_
    std::size_t running_ = 0;
    std::exception_ptr failure_;
};

}   // namespace

std::vector<StageTime> run_serial(Source& source, const std::vector<StageGroup>& groups, const Tick& tick) {
    const c10::InferenceMode inference;
    std::vector<Stage*> stages;
    for (const StageGroup& group : groups) {
        stages.insert(stages.end(), group.stages.begin(), group.stages.end());
    }
    Chain chain(std::move(stages), [](Item) {});
    StageTime source_time{.name = std::string(source.name())};
    for (bool ended = false; !ended;) {
        const auto start = Clock::now();
        std::optional<Frame> frame = next_of(source);
        source_time.busy_s += seconds_since(start);
        ended = !frame;
        chain.process(ended ? Item{Mark::end_of_stream} : Item{*std::move(frame)});
        tick();
    }
    std::vector<StageTime> times{source_time};
    times.insert(times.end(), chain.times().begin(), chain.times().end());
    return times;
}

std::vector<StageTime> run_threaded(Source& source, const std::vector<StageGroup>& groups, const Tick& tick,
                                    const std::atomic<bool>* short_queues, std::vector<StageTime>* at_failure) {
    return ThreadedRun(source, groups, short_queues).run(tick, at_failure);
}

}   // namespace millstream
