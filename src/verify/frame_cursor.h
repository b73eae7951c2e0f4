// A decoded stream, frame by frame, with a look at the next one.
#pragma once

#include <cstdint>
#include <optional>

#include "media/decoder.h"

namespace millstream {

/// A decoder with what is known of the frame it stands at and of the next one. Times in seconds.
class FrameCursor {
public:
    /// Decodes the first two pictures. Throws Error(input) where the stream cannot be decoded.
    FrameCursor(const SourceInfo& file, const DecoderSettings& settings);

    [[nodiscard]] bool at_end() const { return !here_; }
    [[nodiscard]] const Picture& here() const { return *here_; }
    [[nodiscard]] const Picture* next() const { return next_ ? &*next_ : nullptr; }
    [[nodiscard]] std::int64_t number() const { return number_; }
    [[nodiscard]] double time_s() const;                             ///< from the first frame
    [[nodiscard]] double next_time_s() const;                        ///< only where there is a next()
    [[nodiscard]] std::optional<double> stored_duration_s() const;   ///< what the container says
    [[nodiscard]] double first_pts_s() const { return static_cast<double>(first_pts_) * tick_s_; }
    [[nodiscard]] double tick_s() const { return tick_s_; }
    [[nodiscard]] const DecodeStatistics& statistics() const { return decoder_.statistics(); }
    void advance();

private:
    VideoDecoder decoder_;
    double tick_s_;
    std::optional<Picture> here_;
    std::optional<Picture> next_;
    std::int64_t first_pts_ = 0;
    std::int64_t number_ = 0;
};

}   // namespace millstream
