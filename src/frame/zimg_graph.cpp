#include "frame/zimg_graph.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "millstream/error.h"

namespace millstream {
namespace {

// Note [Unaligned rows]
// zimg loads and stores whole vectors: plane starts and strides must be multiples of 32 bytes (64 with AVX-512). The
// rows of a contiguous tensor are so only where its width is a multiple of 8 (16) floats, and those of a cropped
// picture may start anywhere. For such planes zimg works in a ring of the few lines its filters need at a time and
// calls back when it wants a line or has finished one: the line moves between cache and memory, so every sample of a
// picture is still read or written in memory once. The same way pads odd sizes to whole chroma samples, which zimg
// demands.
std::size_t required_alignment() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") != 0 ? 64 : 32;
#else
    return kVectorAlignment;
#endif
}

std::string last_zimg_error() {
    std::array<char, 256> text{};
    zimg_get_last_error(text.data(), text.size());
    zimg_clear_last_error();
    return text.data();
}

zimg_filter_graph* build(const zimg_image_format& source, const zimg_image_format& target,
                         const zimg_graph_builder_params& params) {
    zimg_filter_graph* graph = zimg_filter_graph_build(&source, &target, &params);
    if (graph == nullptr) {
        throw Error(ErrorKind::input, {"preparing the colour conversion",
                                       "matrix " + std::to_string(source.matrix_coefficients) + " to " +
                                           std::to_string(target.matrix_coefficients),
                                       "zimg cannot do it: " + last_zimg_error(), ""});
    }
    return graph;
}

unsigned input_lines(const zimg_filter_graph* graph) {
    unsigned lines = 0;
    zimg_filter_graph_get_input_buffering(graph, &lines);
    return lines;
}

unsigned output_lines(const zimg_filter_graph* graph) {
    unsigned lines = 0;
    zimg_filter_graph_get_output_buffering(graph, &lines);
    return lines;
}

AlignedBytes scratch_for(const zimg_filter_graph* graph) {
    std::size_t bytes = 0;
    zimg_filter_graph_get_tmp_size(graph, &bytes);
    return allocate_aligned(std::max<std::size_t>(bytes, 1));
}

std::size_t bytes_per_sample(zimg_pixel_type_e type) {
    switch (type) {
        case ZIMG_PIXEL_BYTE:
            return 1;
        case ZIMG_PIXEL_FLOAT:
            return 4;
        default:
            return 2;
    }
}

}   // namespace

template <class Byte>
GraphSide<Byte>::GraphSide(const zimg_image_format& image, unsigned lines)
    : count_(image.color_family == ZIMG_COLOR_GREY ? 1 : 3),
      sample_bytes_(bytes_per_sample(image.pixel_type)),
      step_(1U << image.subsample_h) {
    const unsigned mask = zimg_select_buffer_mask(lines);
    for (std::size_t plane = 0; plane < count_; ++plane) {
        Geometry& geometry = geometry_[plane];
        geometry.shift_x = plane == 0 ? 0 : image.subsample_w;
        geometry.shift_y = plane == 0 ? 0 : image.subsample_h;
        geometry.width = image.width >> geometry.shift_x;
        geometry.height = image.height >> geometry.shift_y;
        geometry.mask = mask == ZIMG_BUFFER_MAX ? mask : mask >> geometry.shift_y;
        geometry.ring_stride = round_up_to_alignment(geometry.width * sample_bytes_);
        geometry.ring_offset = ring_bytes_;
        const std::size_t rows = geometry.mask == ZIMG_BUFFER_MAX ? geometry.height : std::size_t{geometry.mask} + 1;
        ring_bytes_ += geometry.ring_stride * rows;
    }
}

template <class Byte>
bool GraphSide<Byte>::usable_in_place(const Geometry& geometry, const PlaneView<Byte>& plane) const {
    const std::size_t alignment = required_alignment();
    return static_cast<unsigned>(plane.width) == geometry.width &&
           static_cast<unsigned>(plane.height) == geometry.height &&
           reinterpret_cast<std::uintptr_t>(plane.data) % alignment == 0 &&
           plane.stride % static_cast<std::ptrdiff_t>(alignment) == 0;
}

template <class Byte>
bool GraphSide<Byte>::attach(const std::array<PlaneView<Byte>, 3>& planes) {
    attached_ = planes;
    through_ring_ = false;
    for (std::size_t plane = 0; plane < count_; ++plane) {
        through_ring_ = through_ring_ || !usable_in_place(geometry_[plane], planes[plane]);
    }
    if (through_ring_ && !ring_) {
        ring_ = allocate_aligned(ring_bytes_);
    }
    return through_ring_;
}

template <class Byte>
typename GraphSide<Byte>::Line GraphSide<Byte>::line(std::size_t plane) const {
    const Geometry& geometry = geometry_[plane];
    if (through_ring_) {
        return {ring_.get() + geometry.ring_offset, static_cast<std::ptrdiff_t>(geometry.ring_stride), geometry.mask};
    }
    // zimg's read-only buffer takes a pointer to const: nothing is written through it.
    return {const_cast<std::byte*>(attached_[plane].data), attached_[plane].stride, ZIMG_BUFFER_MAX};
}

template <class Byte>
std::byte* GraphSide<Byte>::ring_row(const Geometry& geometry, unsigned row) const {
    return ring_.get() + geometry.ring_offset + geometry.ring_stride * (row & geometry.mask);
}

// Calls move(plane, geometry, row, left, right) for every row of every plane that `step_` luma lines comprise.
template <class Byte>
template <class Move>
void GraphSide<Byte>::each_row(unsigned line, unsigned left, unsigned right, Move&& move) const {
    for (std::size_t plane = 0; plane < count_; ++plane) {
        const Geometry& geometry = geometry_[plane];
        const unsigned first = line >> geometry.shift_y;
        const unsigned last = std::min((line + step_) >> geometry.shift_y, geometry.height);
        const unsigned end = std::min((right + (1U << geometry.shift_x) - 1) >> geometry.shift_x, geometry.width);
        for (unsigned row = first; row < last; ++row) {
            move(attached_[plane], geometry, row, left >> geometry.shift_x, end);
        }
    }
}

template <class Byte>
int GraphSide<Byte>::load(void* side, unsigned line, unsigned left, unsigned right) noexcept {
    const GraphSide& self = *static_cast<const GraphSide*>(side);
    const std::size_t size = self.sample_bytes_;
    self.each_row(
        line, left, right,
        [&](const PlaneView<Byte>& plane, const Geometry& geometry, unsigned row, unsigned begin, unsigned end) {
            const auto width = static_cast<unsigned>(plane.width);
            const auto source_row = std::min(static_cast<int>(row), plane.height - 1);
            const Byte* source = plane.data + source_row * plane.stride;
            std::byte* ring = self.ring_row(geometry, row);
            if (begin < width) {
                std::memcpy(ring + begin * size, source + begin * size, (std::min(end, width) - begin) * size);
            }
            for (unsigned column = std::max(begin, width); column < end; ++column) {
                std::memcpy(ring + column * size, source + (width - 1) * size, size);
            }
        });
    return 0;
}

template <class Byte>
int GraphSide<Byte>::store(void* side, unsigned line, unsigned left, unsigned right) noexcept {
    if constexpr (std::is_const_v<Byte>) {
        return 1;   // never installed: a source is not written
    } else {
        const GraphSide& self = *static_cast<const GraphSide*>(side);
        const std::size_t size = self.sample_bytes_;
        self.each_row(
            line, left, right,
            [&](const PlaneView<Byte>& plane, const Geometry& geometry, unsigned row, unsigned begin, unsigned end) {
                end = std::min(end, static_cast<unsigned>(plane.width));
                if (static_cast<int>(row) < plane.height && begin < end) {
                    std::memcpy(plane.data + static_cast<std::ptrdiff_t>(row) * plane.stride + begin * size,
                                self.ring_row(geometry, row) + begin * size, (end - begin) * size);
                }
            });
        return 0;
    }
}

template class GraphSide<const std::byte>;
template class GraphSide<std::byte>;

ZimgGraph::ZimgGraph(const zimg_image_format& source, const zimg_image_format& target, zimg_graph_builder_params params)
    : graph_(build(source, target, params)),
      scratch_(scratch_for(graph_.get())),
      source_(source, input_lines(graph_.get())),
      target_(target, output_lines(graph_.get())) {}

void ZimgGraph::process(const SourcePlanes& source, const TargetPlanes& target) {
    const bool load = source_.attach(source);
    const bool store = target_.attach(target);
    zimg_image_buffer_const from{};
    zimg_image_buffer to{};
    from.version = ZIMG_API_VERSION;
    to.version = ZIMG_API_VERSION;
    for (std::size_t plane = 0; plane < source_.planes(); ++plane) {
        const auto line = source_.line(plane);
        from.plane[plane] = {line.data, line.stride, line.mask};
    }
    for (std::size_t plane = 0; plane < target_.planes(); ++plane) {
        const auto line = target_.line(plane);
        to.plane[plane] = {line.data, line.stride, line.mask};
    }
    if (zimg_filter_graph_process(graph_.get(), &from, &to, scratch_.get(),
                                  load ? &GraphSide<const std::byte>::load : nullptr, &source_,
                                  store ? &GraphSide<std::byte>::store : nullptr, &target_) != ZIMG_ERROR_SUCCESS) {
        throw Error(ErrorKind::internal, {"converting colours", "", last_zimg_error(), ""});
    }
}

zimg_graph_builder_params zimg_parameters() {
    zimg_graph_builder_params params;
    zimg_graph_builder_params_default(&params, ZIMG_API_VERSION);
    params.resample_filter = ZIMG_RESIZE_SPLINE36;
    params.resample_filter_uv = ZIMG_RESIZE_BICUBIC;
    params.cpu_type = required_alignment() == 64 ? ZIMG_CPU_AUTO_64B : ZIMG_CPU_AUTO;
    return params;
}

}   // namespace millstream
