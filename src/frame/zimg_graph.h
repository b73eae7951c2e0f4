// One zimg conversion, built once, run on picture after picture.
#pragma once

#include <zimg.h>

#include <array>
#include <cstddef>
#include <memory>

#include "frame/aligned_bytes.h"

namespace millstream {

/// The samples of a plane that exist; a graph's own plane may be padded to whole chroma samples.
template <class Byte>
struct PlaneView {
    Byte* data = nullptr;
    std::ptrdiff_t stride = 0;   ///< bytes from a row to the next; may be negative
    int width = 0;               ///< samples
    int height = 0;              ///< rows
};
using SourcePlanes = std::array<PlaneView<const std::byte>, 3>;
using TargetPlanes = std::array<PlaneView<std::byte>, 3>;

/// A side of a graph: where zimg finds or leaves its lines. Either the caller's own memory or, where that is not
/// aligned as zimg wants it or is smaller than the padded picture, a ring of a few lines (Note [Unaligned rows]).
template <class Byte>
class GraphSide {
public:
    /// `lines`: what zimg_filter_graph_get_*_buffering says.
    GraphSide(const zimg_image_format& image, unsigned lines);

    /// Points this side at `planes` for one run; true when the ring is needed.
    bool attach(const std::array<PlaneView<Byte>, 3>& planes);

    struct Line {
        std::byte* data = nullptr;
        std::ptrdiff_t stride = 0;
        unsigned mask = ZIMG_BUFFER_MAX;
    };
    [[nodiscard]] Line line(std::size_t plane) const;
    [[nodiscard]] std::size_t planes() const { return count_; }

    /// zimg's callbacks (C linkage by type, no exceptions): copies columns [left,right) of the lines from `line` on
    /// between the caller's memory and the ring. Loading repeats the last row and column into the padding.
    static int load(void* side, unsigned line, unsigned left, unsigned right) noexcept;
    static int store(void* side, unsigned line, unsigned left, unsigned right) noexcept;

private:
    struct Geometry {
        unsigned width = 0;    // samples, padded
        unsigned height = 0;   // rows, padded
        unsigned shift_x = 0;
        unsigned shift_y = 0;
        unsigned mask = ZIMG_BUFFER_MAX;
        std::size_t ring_stride = 0;
        std::size_t ring_offset = 0;
    };

    [[nodiscard]] bool usable_in_place(const Geometry& geometry, const PlaneView<Byte>& plane) const;
    [[nodiscard]] std::byte* ring_row(const Geometry& geometry, unsigned row) const;
    template <class Move>
    void each_row(unsigned line, unsigned left, unsigned right, Move&& move) const;

    std::size_t count_;
    std::size_t sample_bytes_;
    unsigned step_;   // luma rows a callback covers
    std::array<Geometry, 3> geometry_{};
    std::size_t ring_bytes_ = 0;
    AlignedBytes ring_;   // allocated when first needed
    bool through_ring_ = false;
    std::array<PlaneView<Byte>, 3> attached_{};
};

extern template class GraphSide<const std::byte>;
extern template class GraphSide<std::byte>;

/// Owns the graph and its scratch memory. One thread at a time.
class ZimgGraph {
public:
    /// Throws Error(input) with zimg's reason where it has no such conversion.
    ZimgGraph(const zimg_image_format& source, const zimg_image_format& target, zimg_graph_builder_params params);

    /// Every sample of `target` is written once. Planes zimg does not use may be left empty.
    void process(const SourcePlanes& source, const TargetPlanes& target);

private:
    struct FreeGraph {
        void operator()(zimg_filter_graph* graph) const noexcept { zimg_filter_graph_free(graph); }
    };
    std::unique_ptr<zimg_filter_graph, FreeGraph> graph_;
    AlignedBytes scratch_;
    GraphSide<const std::byte> source_;
    GraphSide<std::byte> target_;
};

/// zimg's defaults with the kernels and processor features that both directions use.
zimg_graph_builder_params zimg_parameters();

}   // namespace millstream
