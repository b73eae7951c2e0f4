// FFmpeg's own messages, kept from the terminal and used as the reasons in our errors.
#pragma once

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

}   // namespace millstream
