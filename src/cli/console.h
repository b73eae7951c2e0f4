// The two streams of the program, written a whole text at a time, so that texts of different threads do not mix.
#pragma once

#include <mutex>
#include <string_view>

namespace millstream {

/// Thread-safe. A stream that cannot be written (closed pipe, full disk) is ignored: losing messages ends no job.
class Console {
public:
    virtual ~Console() = default;
    virtual void out(std::string_view text) = 0;   ///< results
    virtual void err(std::string_view text) = 0;   ///< progress, messages, errors
    [[nodiscard]] virtual bool err_is_terminal() const = 0;
    [[nodiscard]] virtual int err_width() const = 0;   ///< columns now; 80 where there is no terminal
    [[nodiscard]] virtual bool colour() const = 0;     ///< on stderr: a terminal, and NO_COLOR is not set
};

/// stdout and stderr of the process, unbuffered.
class ProcessConsole : public Console {
public:
    void out(std::string_view text) override;
    void err(std::string_view text) override;
    [[nodiscard]] bool err_is_terminal() const override;
    [[nodiscard]] int err_width() const override;
    [[nodiscard]] bool colour() const override;

private:
    std::mutex mutex_;   // one writer at a time
};

}   // namespace millstream
