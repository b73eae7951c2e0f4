// FFmpeg's own messages, kept from the terminal and used as the reasons in our errors.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace millstream {

/// Collects what FFmpeg says (warnings and errors) on this thread while it lives. Scopes nest: the innermost gets it.
/// FFmpeg's worker threads are not heard.
class LogCapture {
public:
    LogCapture();
    ~LogCapture();
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;

    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
    /// All lines in one, " / " between them; empty when nothing was said.
    [[nodiscard]] std::string text() const;

    void add(std::string line);   ///< called by the callback

private:
    std::vector<std::string> lines_;   // a damaged file can say a lot: only the first few are kept
    LogCapture* outer_;
};

// Note [Concealment]
// Before 7.0 libavcodec may set AVFrame::decode_error_flags only after another of its threads has handed the frame out:
// of eight runs over one damaged H.264 file seven had lost them. What it says while it conceals ("concealing 60 DC,
// 60 AC, 60 MV errors in P frame") does not get lost, and is counted on whatever thread it is said.

/// Counts what decoders conceal whose AVCodecContext::opaque is `owner`, while it lives.
class ConcealmentCounter {
public:
    explicit ConcealmentCounter(const void* owner);
    ~ConcealmentCounter();
    ConcealmentCounter(const ConcealmentCounter&) = delete;
    ConcealmentCounter& operator=(const ConcealmentCounter&) = delete;

    [[nodiscard]] std::int64_t count() const { return count_.load(); }

private:
    const void* owner_;
    std::atomic<std::int64_t> count_ = 0;
};

}   // namespace millstream
