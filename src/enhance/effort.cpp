#include "enhance/effort.h"

#include <algorithm>

#include "base/counted.h"

namespace millstream {
namespace {

// Below this many kept pixels a side a tile is all halo.
constexpr int kSmallestKept = 16;
// Under mere pressure a tile keeps this much: with the default network's halo of 18 it computes 1.4 times as much.
constexpr int kKeptUnderPressure = 192;

// The longest equal tiles that keep half of what `tile` keeps of a side; nothing where that would be too small.
std::optional<int> half_side(int length, int tile, const TileLayout& layout, int kept) {
    const int least = 2 * layout.halo + std::max({kept, 2 * layout.blend, layout.alignment});
    const int half = (tile + 1) / 2 + layout.halo;
    if (half < least || half >= tile) {
        return std::nullopt;
    }
    return cut_side(length, half, layout.halo, layout.blend, layout.alignment).front().length;
}

std::optional<Size> smaller_tile(Size frame, const TileLayout& layout, int kept) {
    const Size tile = layout.tile;
    const auto width = half_side(frame.width, tile.width, layout, kept);
    const auto height = half_side(frame.height, tile.height, layout, kept);
    if (width && (tile.width >= tile.height || !height)) {
        return Size{*width, tile.height};
    }
    return height ? std::optional(Size{tile.width, *height}) : std::nullopt;
}

const char* name_of(Precision precision) {
    return precision == Precision::fp32   ? "fp32"
           : precision == Precision::bf16 ? "bf16"
           : precision == Precision::int8 ? "int8"
                                          : "fp16";
}

}   // namespace

std::optional<EffortStep> less(const Effort& effort, const EffortLimits& limits, Shortage shortage) {
    const bool pressure = shortage == Shortage::pressure;
    Effort next = effort;
    if (effort.requests > 1) {
        next.requests = effort.requests / 2;
        return EffortStep{"fewer requests", next};
    }
    if (const auto tile = smaller_tile(limits.frame, effort.layout, pressure ? kKeptUnderPressure : kSmallestKept)) {
        next.layout.tile = *tile;
        return EffortStep{"smaller tiles", next};
    }
    if (limits.lower && *limits.lower != effort.precision && !pressure) {
        next.precision = *limits.lower;
        return EffortStep{"lower precision", next};
    }
    if (!effort.short_queues) {
        next.short_queues = true;
        return EffortStep{"shorter queues", next};
    }
    return std::nullopt;
}

std::string words(const Effort& effort) {
    const Size tile = effort.layout.tile;
    return counted(effort.requests, "request", "requests") + " of " + std::to_string(tile.width) + "x" +
           std::to_string(tile.height) + ", " + name_of(effort.precision) +
           (effort.short_queues ? ", short queues" : "");
}

}   // namespace millstream
