#include "pipeline/size_governor.h"

#include <algorithm>
#include <cmath>

namespace millstream {
namespace {

constexpr double kStepsPerHalving = 6;
// A chunk may take this much of an even share.
constexpr double kSlack = 1.5;
// The rate bound is left away where it is this far above what is expected.
constexpr double kFarAbove = 4;
constexpr double kLongestBuffer_s = 1;
// An encoder's buffer is this full when it starts (x264, x265: vbv-init).
constexpr double kInitialBuffer = 0.9;
// Encoders meet their bound to within this much.
constexpr double kTolerance = 0.99;

}   // namespace

int SizeGovernor::choose_crf(double natural_rate, double fair_rate) const {
    if (natural_rate <= 0) {
        return std::max(limits_.crf, state_.last_crf);
    }
    const double excess = kStepsPerHalving * std::log2(natural_rate / std::max(fair_rate, 1.0));
    const int wanted = limits_.crf + static_cast<int>(std::ceil(std::max(excess, 0.0)));
    return std::clamp(std::max(wanted, state_.last_crf - 1), limits_.crf, limits_.worst_crf);
}

ChunkRate SizeGovernor::next(double seconds, std::uint64_t taken) {
    const double left_s = std::max(limits_.duration_s - state_.seconds, seconds);
    const double left = std::max(static_cast<double>(limits_.bytes) - static_cast<double>(taken), 1.0) * kTolerance;
    const double fair = left / left_s;
    const double natural = state_.seconds > 0 ? state_.natural_bytes / state_.seconds : 0;
    ChunkRate rate;
    rate.crf = choose_crf(natural, fair);
    // As much as is left for the last chunk; before it, more than an even share, but no more than half of what is left.
    const double most =
        left_s <= seconds * 1.01 ? left : std::min(fair * seconds * kSlack, std::max(left / 2, fair * seconds));
    const double at_this_crf = std::exp2((limits_.crf - rate.crf) / kStepsPerHalving);
    const double expected = (natural > 0 ? natural : limits_.expected_rate) * at_this_crf * seconds;
    if (most < expected * kFarAbove) {
        const double buffer_s = std::min(kLongestBuffer_s, seconds / 2);
        const double bits = most * 8 / (seconds + kInitialBuffer * buffer_s);
        rate.max_rate = static_cast<std::int64_t>(std::max(bits, 1000.0));
        rate.max_buffer = static_cast<std::int64_t>(std::max(bits * buffer_s, 1000.0));
    }
    return rate;
}

void SizeGovernor::chunk_done(double seconds, std::uint64_t bytes, int crf) {
    state_.seconds += seconds;
    state_.natural_bytes += static_cast<double>(bytes) * std::exp2((crf - limits_.crf) / kStepsPerHalving);
    state_.last_crf = crf;
}

}   // namespace millstream
