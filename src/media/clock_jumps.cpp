#include "media/clock_jumps.h"

#include <cstdlib>

#include "media/time_limits.h"

namespace millstream {
namespace {

constexpr std::int64_t kJump = AV_TIME_BASE;
constexpr std::int64_t kMostShift = static_cast<std::int64_t>(kMostSeconds) * AV_TIME_BASE;

void shift(std::int64_t& time_stamp, std::int64_t by, AVRational time_base) {
    if (time_stamp != AV_NOPTS_VALUE) {
        time_stamp += av_rescale_q(by, AV_TIME_BASE_Q, time_base);
    }
}

}   // namespace

void ClockJumps::apply(AVPacket& packet, AVRational time_base) {
    const auto index = static_cast<std::size_t>(packet.stream_index);
    if (index >= streams_.size()) {
        streams_.resize(index + 1);
    }
    std::int64_t chosen = shift_;
    if (packet.dts != AV_NOPTS_VALUE) {
        Stream& stream = streams_[index];
        const std::int64_t dts = av_rescale_q(packet.dts, time_base, AV_TIME_BASE_Q);
        chosen = choose_shift(stream, dts);
        const std::int64_t step = stream.dts ? dts + chosen - *stream.dts : 0;
        stream.step = step > 0 && step <= kJump ? step : stream.step;
        stream.dts = dts + chosen;
        stream.duration = av_rescale_q(packet.duration, time_base, AV_TIME_BASE_Q);
    }
    shift(packet.dts, chosen, time_base);
    shift(packet.pts, chosen, time_base);
}

std::int64_t ClockJumps::choose_shift(const Stream& stream, std::int64_t dts) {
    if (!stream.dts) {
        return shift_;
    }
    const std::int64_t gap = dts + shift_ - stream.expected();
    const std::int64_t gap_before = dts + previous_shift_ - stream.expected();
    if (std::abs(gap) > kJump && std::abs(gap_before) <= kJump) {
        return previous_shift_;
    }
    if (gap < -kJump && shift_ - gap <= kMostShift) {
        previous_shift_ = shift_;
        shift_ -= gap;
        ++jumps_;
    }
    return shift_;
}

}   // namespace millstream
