// How much is done at a time, and what less and less means. Pure values. Note [Back-off].
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "enhance/tiles.h"
#include "millstream/options.h"

namespace millstream {

// Note [Back-off]
// When memory runs short, less is done at a time; in this order, each step before the next kind is begun:
//   release caches     what is kept for later goes; nothing is given up
//   fewer requests     half as many in flight, down to one: costs some speed
//   smaller tiles      the longer side's kept part halved, down to the smallest tile: halos are computed more often
//   lower precision    fp32 -> fp16 on CUDA, -> bf16 where the CPU has it: the picture changes by less than a code.
//                      Not where the user has asked for fp32, and never taken back, so that the picture changes once
//   shorter queues     one item between two stages: they wait for each other more often
// The frames that were in flight are computed again, into the same tensors; they leave in their order, each once. With
// a halo as deep as the network sees and in fp32 the output is bit for bit what it would have been. The last step that
// can be is taken back after a quiet while; where memory runs short again soon after, the next while is twice as long.

/// One set of choices.
struct Effort {
    int requests = 1;
    TileLayout layout;   ///< its halo and blend as the network needs them, also where the frame is not tiled
    Precision precision = Precision::fp32;
    bool short_queues = false;
    friend bool operator==(const Effort& a, const Effort& b) {
        return a.requests == b.requests && a.layout.tile == b.layout.tile && a.precision == b.precision &&
               a.short_queues == b.short_queues;
    }
};

/// What may be given up.
struct EffortLimits {
    Size frame;                       ///< input pixels
    std::optional<Precision> lower;   ///< that the executor could fall back to
};

/// A step down: what is done, and what it is done to.
struct EffortStep {
    std::string measure;   ///< as in BackOff
    Effort effort;
};

/// Why less is to be done.
enum class Shortage {
    out_of_memory,   ///< nothing goes on without it: every step is taken
    pressure,        ///< a threshold was passed, perhaps by others: only steps that leave the output as it is, and no
                     ///< tiles that are mostly halo, which would cost much time and save little
};

/// The next step, or nothing when nothing is left.
std::optional<EffortStep> less(const Effort& effort, const EffortLimits& limits,
                               Shortage shortage = Shortage::out_of_memory);

/// "2 requests of 320x180, fp32" and the like.
std::string words(const Effort& effort);

}   // namespace millstream
