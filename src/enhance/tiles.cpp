#include "enhance/tiles.h"

#include <algorithm>
#include <string>

#include "millstream/error.h"

namespace millstream {

std::vector<TileSpan> cut_side(int length, int tile, int halo, int blend, int alignment) {
    if (tile >= length) {
        return {{0, length, 0, length, 0, 0}};
    }
    tile = tile / alignment * alignment;
    if (tile <= 2 * halo || blend > halo) {
        throw Error(ErrorKind::usage, {"cutting the frame into tiles", "",
                                       "a tile of " + std::to_string(tile) + " px leaves nothing inside a halo of " +
                                           std::to_string(halo) + " px",
                                       "Choose --tile of more than " + std::to_string(2 * halo) + ", or --tile auto"});
    }
    // n spans of `tile` pixels keep n * tile - 2 * halo * (n - 1) pixels: the outer ones touch the border.
    const int inner = tile - 2 * halo;
    const int count = (length - 2 * halo + inner - 1) / inner;
    const int unrounded = (length + 2 * halo * (count - 1) + count - 1) / count;
    const int shortest = (unrounded + alignment - 1) / alignment * alignment;
    std::vector<TileSpan> spans;
    int kept = 0;
    for (int i = 0; i < count; ++i) {
        TileSpan span;
        span.length = shortest;
        span.start = std::min(i * (shortest - 2 * halo), length - shortest);
        span.keep = kept;
        kept = i + 1 == count ? length : span.start + shortest - halo;
        span.keep_length = kept - span.keep;
        span.blend_before = i == 0 ? 0 : blend;
        span.blend_after = i + 1 == count ? 0 : blend;
        spans.push_back(span);
    }
    return spans;
}

std::vector<Tile> cut_tiles(Size frame, const TileLayout& layout) {
    const auto columns = cut_side(frame.width, layout.tile.width, layout.halo, layout.blend, layout.alignment);
    const auto rows = cut_side(frame.height, layout.tile.height, layout.halo, layout.blend, layout.alignment);
    std::vector<Tile> tiles;
    tiles.reserve(columns.size() * rows.size());
    for (const TileSpan& row : rows) {
        for (const TileSpan& column : columns) {
            tiles.push_back({column, row});
        }
    }
    return tiles;
}

}   // namespace millstream
