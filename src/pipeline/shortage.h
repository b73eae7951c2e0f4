// A lack of memory outside the network, which Note [Back-off] in enhance/effort.h does not reach.
#pragma once

#include <exception>
#include <string>

#include "enhance/steady_enhancer.h"
#include "model/executor_error.h"

namespace millstream {

/// The exception in flight: where it says that memory ran out, thrown anew as an Error(resource) that says how to go
/// on; anything else as it is. `doing` and `subject`: as in Error::Context.
[[noreturn]] void throw_shortage(const std::string& doing, const std::string& subject);

/// Does `work`; where memory runs out, once more when every cache has been given back. For work that can be done again.
template <class Work>
void with_second_try(const Work& work) {
    try {
        work();
    } catch (...) {
        if (!lack_of_memory(std::current_exception())) {
            throw;
        }
        release_caches();
        work();
    }
}

}   // namespace millstream
