#include "media/clock_jumps.h"

#include <cstdlib>

namespace millstream {
namespace {

constexpr std::int64_t kJump = AV_TIME_BASE;

void shift(std::int64_t& time_stamp, std::int64_t by, AVRational time_base) {
    if (time_stamp != AV_NOPTS_VALUE) {
        time_stamp += av_rescale_q(by, AV_TIME_BASE_Q, time_base);
    }
}

}   // namespace

void ClockJumps::apply(AVPacket& packet, AVRational time_base) {
    const auto stream = static_cast<std::size_t>(packet.stream_index);
    if (stream >= expected_.size()) {
        expected_.resize(stream + 1);
    }
    std::int64_t chosen = shift_;
    if (packet.dts != AV_NOPTS_VALUE) {
        const std::int64_t dts = av_rescale_q(packet.dts, time_base, AV_TIME_BASE_Q);
        if (expected_[stream]) {
            const std::int64_t gap = dts + shift_ - *expected_[stream];
            const std::int64_t gap_before = dts + previous_shift_ - *expected_[stream];
            if (std::abs(gap) > kJump && std::abs(gap_before) <= kJump) {
                chosen = previous_shift_;
            } else if (gap < -kJump) {
                previous_shift_ = shift_;
                shift_ -= gap;
                chosen = shift_;
                ++jumps_;
            }
        }
        expected_[stream] = dts + chosen + av_rescale_q(packet.duration, time_base, AV_TIME_BASE_Q);
    }
    shift(packet.dts, chosen, time_base);
    shift(packet.pts, chosen, time_base);
}

}   // namespace millstream
