// MPEG-TS and -PS, and FLV, may restart their clock anywhere (spliced recordings, a sender that came back). One time
// line is made of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/av.h"

namespace millstream {

/// Packets behind a jump backwards of more than a second are shifted so that they go on where the stream was. All
/// streams share one shift, so that they stay in sync; packets of the old clock that still come in (another stream's,
/// interleaved) are recognised and keep the old shift. Gaps forward stay: they may be real.
/// Deterministic in the order of the packets: two demuxers that read the same packets shift them alike.
class ClockJumps {
public:
    /// The packet's times are sane ones (is_sane_time).
    void apply(AVPacket& packet, AVRational time_base);
    [[nodiscard]] std::int64_t jumps() const { return jumps_; }

private:
    // All in microseconds.
    struct Stream {
        std::optional<std::int64_t> dts;   // of its last packet, shifted
        std::int64_t step = 0;             // from the packet before; durations out of the bitstream are often wrong
        std::int64_t duration = 0;
        [[nodiscard]] std::int64_t expected() const { return *dts + (step > 0 ? step : duration); }
    };
    std::int64_t choose_shift(const Stream& stream, std::int64_t dts);

    std::int64_t shift_ = 0;
    std::int64_t previous_shift_ = 0;
    std::vector<Stream> streams_;
    std::int64_t jumps_ = 0;
};

}   // namespace millstream
