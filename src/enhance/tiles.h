// Room `enhance`: a frame through a network, tile by tile, several requests at a time.
#pragma once

#include <vector>

#include "millstream/options.h"

namespace millstream {

/// One tile of a frame, in input pixels. The network reads [x, x+width) x [y, y+height); of its result only the part
/// that belongs to [keep_x, keep_x+keep_width) x [keep_y, ...) is used.
struct Tile {
    int x = 0, y = 0, width = 0, height = 0;
    int keep_x = 0, keep_y = 0, keep_width = 0, keep_height = 0;
};

/// Cuts `frame` into tiles of one and the same size (one compiled shape), at most `tile` pixels with halo. The kept
/// parts cover the frame exactly once; each lies at least `halo` pixels inside its tile, except where the tile ends at
/// the frame's own border, where the network sees the true border. Sides are multiples of `alignment` where possible.
/// A frame not larger than `tile` gives one tile: the frame itself.
/// Throws Error(usage) when `tile` leaves nothing to keep (tile <= 2 * halo).
std::vector<Tile> cut_tiles(Size frame, Size tile, int halo);

}   // namespace millstream
