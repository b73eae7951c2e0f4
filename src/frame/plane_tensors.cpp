#include "frame/plane_tensors.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "frame/zimg_format.h"

namespace millstream {
namespace {

// Note [Chroma as matrices]
// Bringing a plane of chroma up or down is a product with a sparse matrix on either side, which every device multiplies
// well. The weights are those of zimg's resampler (src/zimg/resize/filter.cpp of zimg 3.0): the kernel is evaluated at
// the sample positions around the target's, stretched where the plane gets smaller, positions beyond an edge are
// mirrored at it and clamped, and each row is divided by its sum. zimg computes with 8-bit sources in 16 bits where
// that is enough, and dithers on the way back, so that the two differ, by less than a code; tests hold that.

struct Luma {
    double red;
    double blue;
};

// Kr and Kb of ITU-T H.273, table 4.
std::optional<Luma> luma_of(int matrix) {
    switch (matrix) {
        case 1:
            return Luma{0.2126, 0.0722};
        case 4:
            return Luma{0.30, 0.11};
        case 5:
        case 6:
            return Luma{0.299, 0.114};
        case 7:
            return Luma{0.212, 0.087};
        case 9:
            return Luma{0.2627, 0.0593};
        default:
            return std::nullopt;
    }
}

double kernel(const Bicubic& k, double x) {
    x = std::abs(x);
    if (x < 1) {
        return ((12 - 9 * k.b - 6 * k.c) * x * x * x + (-18 + 12 * k.b + 6 * k.c) * x * x + (6 - 2 * k.b)) / 6;
    }
    if (x < 2) {
        return ((-k.b - 6 * k.c) * x * x * x + (6 * k.b + 30 * k.c) * x * x + (-12 * k.b - 48 * k.c) * x +
                (8 * k.b + 24 * k.c)) /
               6;
    }
    return 0;
}

// [target, source]. `shift`: added to the target's positions, in source samples.
at::Tensor resampling(int source, int target, double ratio, double shift, const Bicubic& bicubic, at::Device device) {
    constexpr double kSupport = 2;
    at::Tensor weights = at::zeros({target, source}, at::kDouble);
    auto* w = weights.mutable_data_ptr<double>();
    const double step = std::min(ratio, 1.0);   // ratio: target samples a source sample
    const int taps = static_cast<int>(std::ceil(kSupport / step)) * 2;
    for (int i = 0; i < target; ++i) {
        const double position = (i + 0.5) / ratio + shift;
        const double first = std::floor(position - taps / 2.0 + 0.5) + 0.5;
        for (int j = 0; j < taps; ++j) {
            const double at = first + j;
            const double mirrored = at < 0 ? -at : at >= source ? 2.0 * source - at : at;
            const int index = static_cast<int>(std::clamp(mirrored, 0.0, source - 0.5));
            w[static_cast<std::ptrdiff_t>(i) * source + index] += kernel(bicubic, (at - position) * step);
        }
    }
    return weights.div(weights.sum(1, true)).to(at::kFloat).to(device);
}

// How far chroma sample 0 lies beside the middle of the luma samples it stands for, in chroma samples: positive, it is
// nearer to the first.
double offset(int shift, int towards_first) {
    return towards_first * 0.5 * (1 - 1.0 / (1 << shift));
}
int towards_left(ChromaLocation location) {
    return location == ChromaLocation::center || location == ChromaLocation::top || location == ChromaLocation::bottom
               ? 0
               : 1;
}
int towards_top(ChromaLocation location) {
    return location == ChromaLocation::top || location == ChromaLocation::top_left         ? 1
           : location == ChromaLocation::bottom || location == ChromaLocation::bottom_left ? -1
                                                                                           : 0;
}

// Code = offset + value * range, for luma (and R, G, B) and for chroma.
struct Codes {
    double zero;
    double range;
};
Codes codes(const PixelFormat& format, bool full_range, bool chroma) {
    const double unit = static_cast<double>(1 << (format.depth - 8));
    const double top = static_cast<double>((1 << format.depth) - 1);
    if (chroma) {
        return {128 * unit, full_range ? top : 224 * unit};
    }
    return full_range ? Codes{0, top} : Codes{16 * unit, 219 * unit};
}

at::Tensor value_of(const at::Tensor& plane, const Codes& code) {
    const at::Tensor samples =
        plane.scalar_type() == at::kShort ? plane.to(at::kInt).bitwise_and(0xffff) : plane;   // int16 holds 16 bits
    return samples.to(at::kFloat).sub(code.zero).div(code.range);
}

at::Tensor code_of(const at::Tensor& value, const Codes& code, int depth) {
    const at::Tensor rounded = value.mul(code.range).add(code.zero).round().clamp(0, (1 << depth) - 1);
    return depth > 8 ? rounded.to(at::kInt).to(at::kShort) : rounded.to(at::kByte);
}

bool is_yuv(const PixelFormat& format) {
    return format.family == ColourFamily::yuv;
}

}   // namespace

std::vector<at::Tensor> plane_tensors(const Picture& picture) {
    return plane_tensors(picture, at::kCPU);
}

std::vector<at::Tensor> plane_tensors(const Picture& picture, at::Device device) {
    std::vector<at::Tensor> planes;
    const auto bytes = picture.format.bytes_per_sample();
    for (int plane = 0; plane < picture.format.colour_planes(); ++plane) {
        const Plane& rows = picture.planes[static_cast<std::size_t>(plane)];
        const int step = picture.on_device && plane > 0 ? picture.on_device->chroma_step : 1;
        planes.push_back(at::from_blob(
            rows.data,
            {picture.format.plane_height(plane, picture.height), picture.format.plane_width(plane, picture.width)},
            {rows.stride / bytes, step}, [owner = picture.owner](void*) {},
            at::TensorOptions().dtype(bytes == 1 ? at::kByte : at::kShort).device(device), device));
    }
    return planes;
}

std::vector<at::Tensor> without_empty_bits(std::vector<at::Tensor> planes, const PixelFormat& format,
                                           const DevicePlanes& as) {
    if (as.empty_bits > 0) {
        for (at::Tensor& plane : planes) {   // int16 repeats its highest bit when it is shifted
            plane = plane.bitwise_right_shift(as.empty_bits).bitwise_and((1 << format.depth) - 1);
        }
    }
    return planes;
}

std::vector<at::Tensor> with_empty_bits(std::vector<at::Tensor> planes, const DevicePlanes& as) {
    if (as.empty_bits > 0) {
        for (at::Tensor& plane : planes) {
            plane = plane.bitwise_left_shift(as.empty_bits);
        }
    }
    return planes;
}

bool converts_on_device(const PixelFormat& format, const Colour& colour) {
    return !is_yuv(format) || luma_of(colour.matrix).has_value();
}

PlanesToRgb::PlanesToRgb(const PixelFormat& format, const Colour& colour, int width, int height, at::Device device)
    : format_(format), colour_(colour) {
    if (is_yuv(format) && format.chroma_shift_x > 0) {
        across_ = resampling(format.plane_width(1, width), width, 1 << format.chroma_shift_x,
                             offset(format.chroma_shift_x, towards_left(colour.chroma_location)), kChromaUp, device);
    }
    if (is_yuv(format) && format.chroma_shift_y > 0) {
        down_ = resampling(format.plane_height(1, height), height, 1 << format.chroma_shift_y,
                           offset(format.chroma_shift_y, towards_top(colour.chroma_location)), kChromaUp, device);
    }
}

at::Tensor PlanesToRgb::convert(const std::vector<at::Tensor>& planes) const {
    const at::Tensor first = value_of(planes.at(0), codes(format_, colour_.full_range, false));
    if (format_.family == ColourFamily::gray) {
        return first.unsqueeze(0).repeat({3, 1, 1});
    }
    if (format_.family == ColourFamily::rgb) {
        const Codes code = codes(format_, colour_.full_range, false);
        return at::stack({first, value_of(planes.at(1), code), value_of(planes.at(2), code)});
    }
    const auto chroma = [this](const at::Tensor& plane) {
        at::Tensor value = value_of(plane, codes(format_, colour_.full_range, true));
        value = across_.defined() ? at::matmul(value, across_.t()) : value;
        return down_.defined() ? at::matmul(down_, value) : value;
    };
    const Luma luma = luma_of(colour_.matrix).value();
    const at::Tensor red = first + chroma(planes.at(2)) * (2 * (1 - luma.red));
    const at::Tensor blue = first + chroma(planes.at(1)) * (2 * (1 - luma.blue));
    const at::Tensor green = (first - red * luma.red - blue * luma.blue) / (1 - luma.red - luma.blue);
    return at::stack({red, green, blue});
}

RgbToPlanes::RgbToPlanes(const PixelFormat& format, const Colour& colour, int width, int height, at::Device device)
    : format_(format), colour_(colour) {
    const Bicubic kernel = chroma_down(format, colour.chroma_location);
    const auto matrix = [&](int source, int target, int shift, int towards_first) {
        return resampling(source, target, 1.0 / (1 << shift), -offset(shift, towards_first) * (1 << shift), kernel,
                          device);
    };
    if (is_yuv(format) && format.chroma_shift_x > 0) {
        across_ =
            matrix(width, format.plane_width(1, width), format.chroma_shift_x, towards_left(colour.chroma_location));
    }
    if (is_yuv(format) && format.chroma_shift_y > 0) {
        down_ =
            matrix(height, format.plane_height(1, height), format.chroma_shift_y, towards_top(colour.chroma_location));
    }
}

std::vector<at::Tensor> RgbToPlanes::convert(const at::Tensor& rgb) const {
    const Codes code = codes(format_, colour_.full_range, false);
    if (format_.family == ColourFamily::rgb) {
        return {code_of(rgb[0], code, format_.depth), code_of(rgb[1], code, format_.depth),
                code_of(rgb[2], code, format_.depth)};
    }
    const Luma luma = luma_of(is_yuv(format_) ? colour_.matrix : 1).value();
    const at::Tensor first = rgb[0] * luma.red + rgb[1] * (1 - luma.red - luma.blue) + rgb[2] * luma.blue;
    std::vector<at::Tensor> planes{code_of(first, code, format_.depth)};
    if (format_.family == ColourFamily::gray) {
        return planes;
    }
    const Codes of_chroma = codes(format_, colour_.full_range, true);
    const auto chroma = [&](const at::Tensor& difference) {
        at::Tensor value = across_.defined() ? at::matmul(difference, across_.t()) : difference;
        value = down_.defined() ? at::matmul(down_, value) : value;
        return code_of(value, of_chroma, format_.depth);
    };
    planes.push_back(chroma((rgb[2] - first) / (2 * (1 - luma.blue))));
    planes.push_back(chroma((rgb[0] - first) / (2 * (1 - luma.red))));
    return planes;
}

}   // namespace millstream
