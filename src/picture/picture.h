// Room `picture`: a decoded picture as planes in memory, with its format and colour. The language in which `media`
// (decoder, encoder) and `frame` (tensor conversion) speak to each other. Knows neither FFmpeg nor zimg nor Torch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace millstream {

struct Rational {
    std::int64_t num = 0;
    std::int64_t den = 1;
    [[nodiscard]] double value() const { return den == 0 ? 0.0 : static_cast<double>(num) / static_cast<double>(den); }
    friend bool operator==(const Rational&, const Rational&) = default;
};

enum class ColourFamily { gray, yuv, rgb };

/// Layout of the samples. Always planar; 8 bit in uint8_t, 9..16 bit in the low bits of native-endian uint16_t.
struct PixelFormat {
    ColourFamily family = ColourFamily::yuv;
    int depth = 8;            ///< bits a sample, 8..16
    int chroma_shift_x = 1;   ///< log2 of the horizontal chroma subsampling (yuv only)
    int chroma_shift_y = 1;   ///< log2 of the vertical chroma subsampling (yuv only)
    bool alpha = false;       ///< a plane of coverage follows the colour planes

    [[nodiscard]] int colour_planes() const { return family == ColourFamily::gray ? 1 : 3; }
    [[nodiscard]] int planes() const { return colour_planes() + (alpha ? 1 : 0); }
    [[nodiscard]] int bytes_per_sample() const { return depth > 8 ? 2 : 1; }
    /// 4:2:0, whatever the depth; alpha does not count.
    [[nodiscard]] bool is_420() const {
        return family == ColourFamily::yuv && chroma_shift_x == 1 && chroma_shift_y == 1;
    }
    /// Samples a row of `plane` in a picture `width` pixels wide (odd sizes round up).
    [[nodiscard]] int plane_width(int plane, int width) const;
    [[nodiscard]] int plane_height(int plane, int height) const;
    /// Bytes of all planes, rows unpadded.
    [[nodiscard]] std::size_t picture_bytes(int width, int height) const;
    friend bool operator==(const PixelFormat&, const PixelFormat&) = default;
};

/// Where a chroma sample of a subsampled picture sits relative to the luma samples.
enum class ChromaLocation { unspecified, left, center, top_left, top, bottom_left, bottom };

/// Colour description in the code points of ITU-T H.273; 2 = unspecified.
struct Colour {
    int matrix = 2;      ///< H.273 MatrixCoefficients: 0 RGB, 1 BT.709, 5/6 BT.601, 9 BT.2020 ncl
    int primaries = 2;   ///< H.273 ColourPrimaries
    int transfer = 2;    ///< H.273 TransferCharacteristics
    bool full_range = false;
    ChromaLocation chroma_location = ChromaLocation::unspecified;
    friend bool operator==(const Colour&, const Colour&) = default;
};

/// `colour` with what conversion needs filled in where it is unspecified: matrix BT.601 below 720 lines and BT.709 from
/// there (what players assume), RGB for rgb pictures; chroma location left, as H.264 and HEVC have it by default.
/// Primaries and transfer stay as they are: conversion to R'G'B' does not touch them.
Colour resolve_colour(const Colour& colour, const PixelFormat& format, int height);

/// "limited BT.709" and so on, for people.
std::string describe_colour(const Colour& colour);
/// "yuv420p10", for people; not always FFmpeg's name.
std::string describe_format(const PixelFormat& format);

struct Plane {
    std::byte* data = nullptr;
    std::ptrdiff_t stride = 0;   ///< bytes from a row to the next
};

/// How samples lie in the memory of a device where a hardware decoder leaves them and an encoder reads them (NV12,
/// P010, P016).
struct DevicePlanes {
    int device = 0;        ///< its number among CUDA's
    int chroma_step = 2;   ///< samples from one of U to the next: those of V lie between them
    int empty_bits = 0;    ///< below each sample
    friend bool operator==(const DevicePlanes&, const DevicePlanes&) = default;
};

/// Planes with what is known of them. Plane order Y U V (A) or R G B (A). Copying shares the pixels: `owner` keeps them
/// alive, and the last copy gives them back. Pixels of a picture that came from a decoder must not be written.
struct Picture {
    PixelFormat format;
    Colour colour;
    int width = 0;
    int height = 0;
    std::array<Plane, 4> planes{};
    std::int64_t pts = 0;        ///< in the source stream's time base
    std::int64_t duration = 0;   ///< in the source stream's time base; 0 = unknown
    bool key_frame = false;
    bool interlaced = false;
    bool top_field_first = false;
    std::shared_ptr<void> owner;
    std::optional<DevicePlanes> on_device;   ///< the host must not touch them; nothing: they are in its memory

    [[nodiscard]] std::size_t bytes() const { return format.picture_bytes(width, height); }
};

/// The alpha plane of `picture`, which has one, as a gray picture that shares its pixels.
Picture alpha_plane(const Picture& picture);

/// Alignment in bytes of plane starts and strides that PicturePool gives: zimg and the encoders use AVX-512 loads.
inline constexpr std::size_t kPlaneAlignment = 64;

/// Hands out writable pictures of one size and format and takes the memory back when the last copy of a picture goes.
/// Thread-safe. Pictures may outlive the pool.
class PicturePool {
public:
    PicturePool(PixelFormat format, int width, int height);
    [[nodiscard]] Picture take();
    [[nodiscard]] std::int64_t live() const;        ///< pictures handed out and not yet given back
    [[nodiscard]] std::int64_t allocated() const;   ///< buffers ever allocated: the peak of live()

private:
    struct Buffers;
    PixelFormat format_;
    int width_;
    int height_;
    std::shared_ptr<Buffers> buffers_;
};

}   // namespace millstream
