// What the comparison has found so far, by check.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "millstream/verify.h"

namespace millstream {

/// In the order of the report.
enum class CheckKind {
    streams,
    frames,
    frame_times,
    frame_order,
    packets,
    packet_times,
    chapters,
    metadata,
    dispositions,
    attachments,
    picture_data,
    decoding,
    scenes,
    damaged_frames,
    levels,
};
inline constexpr int kChecks = 15;

/// Counts everything and keeps the first few of each check. One thread at a time.
class Findings {
public:
    Findings();

    void compared(CheckKind kind, std::int64_t count = 1);
    /// One difference, or `count` alike at one place (a run of frames).
    void differ(CheckKind kind, Difference difference, std::int64_t count = 1);
    /// compared(), and differ() where the values are not the same.
    void compare(CheckKind kind, const std::string& place, const std::string& source, const std::string& result);
    void note(std::string sentence);

    /// Moves what was found into the report.
    void fill(VerifyReport& report);

private:
    VerifyCheck& check(CheckKind kind) { return checks_[static_cast<std::size_t>(kind)]; }

    std::vector<VerifyCheck> checks_;
    std::vector<std::string> notes_;
};

}   // namespace millstream
