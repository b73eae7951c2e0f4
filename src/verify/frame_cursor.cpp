#include "verify/frame_cursor.h"

#include <utility>

namespace millstream {

FrameCursor::FrameCursor(const SourceInfo& file, const DecoderSettings& settings)
    : decoder_(file, settings),
      tick_s_(file.video().time_base.value()),
      here_(decoder_.next()),
      next_(decoder_.next()) {
    first_pts_ = here_ ? here_->pts : 0;
}

double FrameCursor::time_s() const {
    return static_cast<double>(here_->pts - first_pts_) * tick_s_;
}

double FrameCursor::next_time_s() const {
    return static_cast<double>(next_->pts - first_pts_) * tick_s_;
}

std::optional<double> FrameCursor::stored_duration_s() const {
    return here_->duration > 0 ? std::optional(static_cast<double>(here_->duration) * tick_s_) : std::nullopt;
}

void FrameCursor::advance() {
    here_ = std::move(next_);
    next_ = here_ ? decoder_.next() : std::nullopt;
    ++number_;
}

}   // namespace millstream
