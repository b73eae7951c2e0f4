// Room `enhance`: a frame through a network, tile by tile, several requests at a time. Knows tensors and networks;
// knows nothing of video.
#pragma once

#include <vector>

#include "millstream/options.h"

namespace millstream {

/// One side of a tile, in input pixels. The network reads [start, start+length); its result is used for
/// [keep, keep+keep_length). Where two tiles meet, their results are cross-faded over `blend` pixels on either side of
/// the seam (0: each pixel comes from one tile).
struct TileSpan {
    int start = 0;
    int length = 0;
    int keep = 0;
    int keep_length = 0;
    int blend_before = 0;
    int blend_after = 0;
};

struct Tile {
    TileSpan x;
    TileSpan y;
};

/// How a frame is cut. Only `halo` decides about the result: with halo >= the network's receptive radius and no blend
/// the tiled output equals the untiled one bit for bit (fp32).
struct TileLayout {
    Size tile;           ///< every tile has this size: one compiled shape
    int halo = 0;        ///< input pixels of context around a kept part
    int blend = 0;       ///< input pixels cross-faded on either side of a seam; at most halo
    int alignment = 1;   ///< of the network: tiles begin at multiples of it and are multiples of it long
};

/// Cuts one side of `length` pixels into equal spans of at most `tile` pixels, as few as possible, then as short as
/// that count allows. The kept parts cover the side exactly once; each lies at least `halo` pixels inside its span,
/// except at the ends of the side, where the network sees the true border.
/// Starts and lengths are multiples of `alignment` where `length` and `halo` are; `tile` is rounded down to one.
/// Throws Error(usage) when `tile` < `length` leaves nothing to keep (tile <= 2 * halo).
std::vector<TileSpan> cut_side(int length, int tile, int halo, int blend, int alignment = 1);

/// Every tile of a frame, row by row. A frame that fits into layout.tile is one tile: the frame itself.
std::vector<Tile> cut_tiles(Size frame, const TileLayout& layout);

}   // namespace millstream
