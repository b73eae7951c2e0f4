// A queue between two threads, bounded in bytes.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

namespace millstream {

/// One producer, one consumer. push() blocks while the queue holds anything and the new item would exceed the bound:
/// a single item larger than the bound passes through alone, so that no bound can deadlock the pipeline.
/// Ends in one of two ways: close() (the consumer drains what is left) or fail() (both sides get the exception).
template <class T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    /// Takes the item. Returns false when the queue has been closed (the item is dropped). Rethrows after fail().
    bool push(T item, std::size_t bytes) {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return ended() || items_.empty() || bytes_ + bytes <= max_bytes_; });
        rethrow_if_failed();
        if (closed_) {
            return false;
        }
        items_.push_back({std::move(item), bytes});
        bytes_ += bytes;
        peak_bytes_ = std::max(peak_bytes_, bytes_);
        lock.unlock();
        filled_.notify_one();
        return true;
    }

    /// The next item, or nothing when the queue is closed and empty. Rethrows after fail().
    std::optional<T> pop() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [&] { return ended() || !items_.empty(); });
        rethrow_if_failed();
        if (items_.empty()) {
            return std::nullopt;
        }
        Entry entry = std::move(items_.front());
        items_.pop_front();
        bytes_ -= entry.bytes;
        lock.unlock();
        room_.notify_one();
        return std::move(entry.item);
    }

    /// Another bound from now on; what is queued beyond it stays until it is taken.
    void set_max_bytes(std::size_t max_bytes) {
        {
            const std::lock_guard lock(mutex_);
            max_bytes_ = max_bytes;
        }
        room_.notify_all();
    }

    /// No more items will be pushed.
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        filled_.notify_all();
        room_.notify_all();
    }

    /// Both sides get `failure`; what is queued is released. The first failure wins.
    void fail(std::exception_ptr failure) {
        std::deque<Entry> released;   // destroyed after the lock: items may be large
        {
            const std::lock_guard lock(mutex_);
            if (!failure_) {
                failure_ = std::move(failure);
            }
            released.swap(items_);
            bytes_ = 0;
        }
        filled_.notify_all();
        room_.notify_all();
    }

    [[nodiscard]] std::size_t peak_bytes() const {
        const std::lock_guard lock(mutex_);
        return peak_bytes_;
    }

private:
    struct Entry {
        T item;
        std::size_t bytes;
    };

    [[nodiscard]] bool ended() const { return closed_ || failure_; }
    void rethrow_if_failed() const {
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }

    mutable std::mutex mutex_;
    std::condition_variable filled_;
    std::condition_variable room_;
    // protected by mutex_
    std::deque<Entry> items_;
    std::size_t max_bytes_;
    std::size_t bytes_ = 0;
    std::size_t peak_bytes_ = 0;
    bool closed_ = false;
    std::exception_ptr failure_;
};

}   // namespace millstream
