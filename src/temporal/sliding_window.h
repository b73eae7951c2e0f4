// Room `temporal`: what output frames owe to their neighbours in time. Knows tensors and Motion, no video, no network.
// This header: the last entries of a stream, bounded in frames and in bytes.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

namespace millstream {

/// Keeps the newest entries. An entry that does not fit pushes out the oldest ones; one that is larger than the whole
/// window leaves it empty. Not thread-safe.
template <class Entry>
class SlidingWindow {
public:
    SlidingWindow(std::size_t most_frames, std::size_t most_bytes)
        : most_frames_(most_frames), most_bytes_(most_bytes) {}

    /// `bytes`: what the entry holds on to.
    void push(Entry entry, std::size_t bytes) {
        entries_.push_back({std::move(entry), bytes});
        bytes_ += bytes;
        while (entries_.size() > most_frames_ || bytes_ > most_bytes_) {
            bytes_ -= entries_.front().bytes;
            entries_.pop_front();
        }
    }
    void clear() {
        entries_.clear();
        bytes_ = 0;
    }

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// `age` 0 is the newest entry. Must be below size().
    [[nodiscard]] const Entry& at(std::size_t age) const { return entries_.at(entries_.size() - 1 - age).entry; }

private:
    struct Held {
        Entry entry;
        std::size_t bytes;
    };
    std::size_t most_frames_;
    std::size_t most_bytes_;
    std::deque<Held> entries_;
    std::size_t bytes_ = 0;
};

}   // namespace millstream
