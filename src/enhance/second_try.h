// A lack of memory beside the network, which Note [Back-off] in effort.h does not reach.
#pragma once

#include <exception>

#include "enhance/steady_enhancer.h"
#include "model/executor_error.h"

namespace millstream {

/// Does `work` and returns what it does; where memory runs out, once more when every cache has been given back. For
/// work that can be done again.
template <class Work>
auto with_second_try(const Work& work) -> decltype(work()) {
    try {
        return work();
    } catch (...) {
        if (!lack_of_memory(std::current_exception())) {
            throw;
        }
    }
    release_caches();
    return work();
}

}   // namespace millstream
