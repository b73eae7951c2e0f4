// The contract between stages and runners.
//
// A source hands out frames; stages take an item and emit any number of items; the last stage emits nothing of use.
// Stages are passive: they own no thread and no queue, and a runner never calls one stage from two threads at a time.
// Items come in order of their index, ended by Mark::end_of_stream exactly once. A stage that holds items back emits
// them when the mark comes, then passes the mark on. A stage that throws ends the job: the runner rethrows.
// A stop request ends the source early; what is already on its way is finished or dropped from its end, so that the
// output is always a prefix of what an undisturbed run would give.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "pipeline/item.h"

namespace millstream {

using Emit = std::function<void(Item)>;

class Source {
public:
    virtual ~Source() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// The next frame, or nothing at the end.
    virtual std::optional<Frame> next() = 0;
};

class Stage {
public:
    virtual ~Stage() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    virtual void process(Item item, const Emit& emit) = 0;
};

}   // namespace millstream
