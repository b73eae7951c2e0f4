// The one exception type of Millstream: what failed, on what, why, and what to do about it.
#pragma once

#include <stdexcept>
#include <string>

namespace millstream {

/// What kind of failure it is. The value is the exit code of the command line.
enum class ErrorKind : int {
    internal = 1,        ///< a defect of Millstream itself
    usage = 2,           ///< options or configuration; OUT exists without overwrite; OUT is IN
    input = 3,           ///< the input cannot be used
    refused = 4,         ///< refused before the start: disk, memory, OUT's folder, OUT is locked
    model = 5,           ///< the model cannot be used
    resource = 6,        ///< ran out of a resource while running (resumable)
    difference = 7,      ///< verification or a strict mode found a difference
    interrupted = 130,   ///< stopped by a signal or a stop request (resumable)
};

/// Thrown by every function of the library that fails. Copyable, immutable; safe to pass between threads.
class Error : public std::runtime_error {
public:
    struct Context {
        std::string doing;     ///< what was being done, e.g. "reading the weights"
        std::string subject;   ///< file, stream, layer or frame it was done on; may be empty
        std::string why;       ///< the reason, in words, with the numbers
        std::string hint;      ///< what the user can do; may be empty
    };

    Error(ErrorKind kind, Context context);

    [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
    [[nodiscard]] const Context& context() const noexcept { return context_; }
    [[nodiscard]] int exit_code() const noexcept { return static_cast<int>(kind_); }

private:
    ErrorKind kind_;
    Context context_;
};

}   // namespace millstream
