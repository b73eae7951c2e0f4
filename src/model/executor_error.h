// Failures of the libraries behind the executors, in our words.
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace millstream {

/// What `failure` says, where it says that memory ran out, the host's or a device's; nothing for everything else, and
/// for an Error, which has its words already.
std::optional<std::string> lack_of_memory(const std::exception_ptr& failure);

/// Throws Error(resource) when `failure` says that memory ran out, Error(model) for everything else; an Error passes
/// through as it is. `doing` and `subject`: as in Error::Context.
[[noreturn]] void throw_executor_error(const std::exception_ptr& failure, const std::string& doing,
                                       const std::string& subject);

}   // namespace millstream
