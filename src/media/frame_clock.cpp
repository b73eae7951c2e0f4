#include "media/frame_clock.h"

#include <algorithm>
#include <string>

#include "millstream/error.h"

namespace millstream {

std::int64_t FrameClock::add(std::int64_t pts, std::int64_t duration) {
    if (count_ == 0) {
        first_pts_ = pts;
    } else if (pts <= pts_.back()) {
        throw Error(ErrorKind::internal,
                    {"taking a picture to encode", "picture " + std::to_string(count_),
                     "its pts " + std::to_string(pts) + " does not follow " + std::to_string(pts_.back()), ""});
    }
    pts_.push_back(pts);
    last_duration_ = duration;
    return count_++;
}

std::int64_t FrameClock::at(std::int64_t index) const {
    if (index < 0) {
        return first_pts_ + index * nominal_;
    }
    if (index < oldest_ || index >= count_) {
        throw Error(
            ErrorKind::internal,
            {"writing a packet", "picture " + std::to_string(index),
             "the encoder gave an index outside " + std::to_string(oldest_) + ".." + std::to_string(count_ - 1), ""});
    }
    return pts_[static_cast<std::size_t>(index - oldest_)];
}

std::int64_t FrameClock::duration_of(std::int64_t index) const {
    if (knows_next(index)) {
        return at(index + 1) - at(index);
    }
    return last_duration_ > 0 ? last_duration_ : nominal_;
}

void FrameClock::forget_below(std::int64_t index) {
    while (oldest_ < index && pts_.size() > kKept) {
        pts_.pop_front();
        ++oldest_;
    }
}

std::vector<std::int64_t> FrameClock::last(std::size_t most) const {
    const std::size_t count = std::min(most, pts_.size());
    return {pts_.end() - static_cast<std::ptrdiff_t>(count), pts_.end()};
}

void FrameClock::resume(std::int64_t count, std::int64_t first_pts, const std::vector<std::int64_t>& last,
                        std::int64_t last_duration) {
    count_ = count;
    first_pts_ = first_pts;
    last_duration_ = last_duration;
    pts_.assign(last.begin(), last.end());
    oldest_ = count - static_cast<std::int64_t>(last.size());
}

}   // namespace millstream
