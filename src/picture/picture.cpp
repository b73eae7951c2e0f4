#include "picture/picture.h"

#include <mutex>
#include <new>
#include <vector>

namespace millstream {
namespace {

struct AlignedDelete {
    void operator()(std::byte* memory) const noexcept {
        ::operator delete[](memory, std::align_val_t{kPlaneAlignment});
    }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

AlignedBytes allocate_aligned(std::size_t bytes) {
    return AlignedBytes(new (std::align_val_t{kPlaneAlignment}) std::byte[bytes]);
}

constexpr int shifted_up(int value, int shift) {
    return (value + (1 << shift) - 1) >> shift;
}

bool is_chroma(const PixelFormat& format, int plane) {
    return format.family == ColourFamily::yuv && (plane == 1 || plane == 2);
}

std::size_t aligned_stride(const PixelFormat& format, int plane, int width) {
    const auto bytes = static_cast<std::size_t>(format.plane_width(plane, width)) *
                       static_cast<std::size_t>(format.bytes_per_sample());
    return (bytes + kPlaneAlignment - 1) / kPlaneAlignment * kPlaneAlignment;
}

std::string matrix_name(int matrix) {
    switch (matrix) {
        case 0:
            return "RGB";
        case 1:
            return "BT.709";
        case 4:
            return "FCC";
        case 5:
        case 6:
            return "BT.601";
        case 7:
            return "SMPTE 240M";
        case 8:
            return "YCgCo";
        case 9:
            return "BT.2020";
        case 10:
            return "BT.2020 constant luminance";
        case 2:
            return "unspecified matrix";
        default:
            return "matrix " + std::to_string(matrix);
    }
}

std::string transfer_name(int transfer) {
    switch (transfer) {
        case 16:
            return ", PQ";
        case 18:
            return ", HLG";
        default:
            return "";
    }
}

}   // namespace

int PixelFormat::plane_width(int plane, int width) const {
    return is_chroma(*this, plane) ? shifted_up(width, chroma_shift_x) : width;
}

int PixelFormat::plane_height(int plane, int height) const {
    return is_chroma(*this, plane) ? shifted_up(height, chroma_shift_y) : height;
}

std::size_t PixelFormat::picture_bytes(int width, int height) const {
    std::size_t bytes = 0;
    for (int plane = 0; plane < planes(); ++plane) {
        bytes += static_cast<std::size_t>(plane_width(plane, width)) *
                 static_cast<std::size_t>(plane_height(plane, height)) * static_cast<std::size_t>(bytes_per_sample());
    }
    return bytes;
}

Colour resolve_colour(const Colour& colour, const PixelFormat& format, int height) {
    constexpr int kUnspecified = 2;
    Colour resolved = colour;
    if (format.family == ColourFamily::rgb) {
        resolved.matrix = 0;
        return resolved;
    }
    if (resolved.matrix == kUnspecified || resolved.matrix == 0) {
        resolved.matrix = height >= 720 ? 1 : 6;
    }
    if (resolved.chroma_location == ChromaLocation::unspecified) {
        resolved.chroma_location = ChromaLocation::left;
    }
    return resolved;
}

std::string describe_colour(const Colour& colour) {
    return (colour.full_range ? "full range " : "limited range ") + matrix_name(colour.matrix) +
           transfer_name(colour.transfer);
}

std::string describe_format(const PixelFormat& format) {
    std::string name;
    if (format.family == ColourFamily::gray) {
        name = "gray";
    } else if (format.family == ColourFamily::rgb) {
        name = "rgb";
    } else {
        name = format.chroma_shift_x == 0 ? "yuv444p" : format.chroma_shift_y == 0 ? "yuv422p" : "yuv420p";
        if (format.chroma_shift_x == 2) {
            name = format.chroma_shift_y == 2 ? "yuv410p" : "yuv411p";
        }
    }
    if (format.depth > 8) {
        name += std::to_string(format.depth);
    }
    return format.alpha ? name + "+alpha" : name;
}

struct PicturePool::Buffers {
    std::size_t bytes = 0;
    mutable std::mutex mutex;
    // protected by mutex
    std::vector<AlignedBytes> idle;   // its capacity is never below `allocated`, so that give_back() cannot fail
    std::int64_t live = 0;
    std::int64_t allocated = 0;

    AlignedBytes take() {
        {
            const std::lock_guard lock(mutex);
            if (!idle.empty()) {
                AlignedBytes memory = std::move(idle.back());
                idle.pop_back();
                ++live;
                return memory;
            }
        }
        AlignedBytes memory = allocate_aligned(bytes);   // outside the lock: page faults take long
        const std::lock_guard lock(mutex);
        idle.reserve(static_cast<std::size_t>(allocated) + 1);
        ++allocated;
        ++live;
        return memory;
    }

    void give_back(std::byte* memory) noexcept {
        const std::lock_guard lock(mutex);
        idle.emplace_back(memory);
        --live;
    }
};

PicturePool::PicturePool(PixelFormat format, int width, int height)
    : format_(format), width_(width), height_(height), buffers_(std::make_shared<Buffers>()) {
    for (int plane = 0; plane < format_.planes(); ++plane) {
        buffers_->bytes +=
            aligned_stride(format_, plane, width_) * static_cast<std::size_t>(format_.plane_height(plane, height_));
    }
}

Picture PicturePool::take() {
    // shared_ptr calls its deleter even where its own construction throws: on every path the memory returns to `idle`.
    const std::shared_ptr<std::byte> memory(
        buffers_->take().release(), [buffers = buffers_](std::byte* pixels) noexcept { buffers->give_back(pixels); });
    Picture picture;
    picture.format = format_;
    picture.width = width_;
    picture.height = height_;
    std::byte* next = memory.get();
    for (int plane = 0; plane < format_.planes(); ++plane) {
        const std::size_t stride = aligned_stride(format_, plane, width_);
        picture.planes[static_cast<std::size_t>(plane)] = {next, static_cast<std::ptrdiff_t>(stride)};
        next += stride * static_cast<std::size_t>(format_.plane_height(plane, height_));
    }
    picture.owner = memory;
    return picture;
}

std::int64_t PicturePool::live() const {
    const std::lock_guard lock(buffers_->mutex);
    return buffers_->live;
}

std::int64_t PicturePool::allocated() const {
    const std::lock_guard lock(buffers_->mutex);
    return buffers_->allocated;
}

Picture alpha_plane(const Picture& picture) {
    Picture alpha = picture;
    alpha.planes = {picture.planes.at(static_cast<std::size_t>(picture.format.colour_planes()))};
    alpha.format = {
        .family = ColourFamily::gray, .depth = picture.format.depth, .chroma_shift_x = 0, .chroma_shift_y = 0};
    alpha.colour = Colour{.full_range = true};
    return alpha;
}

}   // namespace millstream
