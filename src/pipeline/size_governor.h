// Keeps the output within its share: chooses each chunk's quality and rate from what the chunks before it have taken.
#pragma once

#include <cstdint>

namespace millstream {

/// What a chunk's encoder is told.
struct ChunkRate {
    int crf = 0;
    std::int64_t max_rate = 0;     ///< bit/s; 0 = unlimited
    std::int64_t max_buffer = 0;   ///< bits
    friend bool operator==(const ChunkRate&, const ChunkRate&) = default;
};

/// What the governor knows of the chunks so far; kept in the checkpoint.
struct GovernorState {
    double seconds = 0;         ///< of video
    double natural_bytes = 0;   ///< what they would have taken at the crf that was asked for
    int last_crf = 0;           ///< 0 = none yet
};

/// Note [Size governor]
/// The quality asked for is kept where the output fits: the limit only ever lowers it. From chunk to chunk the crf is
/// set so that the rest of the video, taken to be like what has been seen of it, would take just what is left: six
/// steps of crf halve the rate (x264, x265; nearly so SVT-AV1). It is raised at once, lowered by one step a chunk, so
/// that quality changes smoothly. Because a chunk may be unlike all before it, its encoder is also told a rate that it
/// may not exceed (VBV): half as much again as an even share, never so much that less than an even share of the floor
/// would be left for the rest, and all that is left for the last chunk. Where that bound is far above what is expected,
/// it is left away: it costs a little quality, and a level that old players do not take.
class SizeGovernor {
public:
    struct Limits {
        std::uint64_t bytes = 0;    ///< for the encoded video, all chunks together
        double duration_s = 0;      ///< of the video
        int crf = 18;               ///< as asked for
        int worst_crf = 51;         ///< the encoder's
        double expected_rate = 0;   ///< bytes a second at that crf, on the high side, before anything is known
    };
    SizeGovernor(const Limits& limits, const GovernorState& state) : limits_(limits), state_(state) {}

    /// For the next chunk, `seconds` long, when `taken` bytes of video have been written.
    [[nodiscard]] ChunkRate next(double seconds, std::uint64_t taken);
    void chunk_done(double seconds, std::uint64_t bytes, int crf);
    /// What the rest of the file turned out to take changes what is left for the video.
    void set_bytes(std::uint64_t bytes) { limits_.bytes = bytes; }

    [[nodiscard]] const GovernorState& state() const { return state_; }

private:
    [[nodiscard]] int choose_crf(double natural_rate, double fair_rate) const;

    Limits limits_;
    GovernorState state_;
};

}   // namespace millstream
