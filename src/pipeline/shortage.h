// A lack of memory outside the network, which Note [Back-off] in enhance/effort.h does not reach.
#pragma once

#include <string>

namespace millstream {

/// The exception in flight: where it says that memory ran out, thrown anew as an Error(resource) that says how to go
/// on; anything else as it is. `doing` and `subject`: as in Error::Context.
[[noreturn]] void throw_shortage(const std::string& doing, const std::string& subject);

}   // namespace millstream
