#include "frame/convert.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "frame/alpha.h"
#include "frame/zimg_format.h"
#include "frame/zimg_graph.h"
#include "millstream/error.h"

namespace millstream {
namespace {

void require(bool holds, const char* doing, const std::string& why) {
    if (!holds) {
        throw Error(ErrorKind::internal, {doing, "", why, ""});
    }
}

std::string in_words(const PixelFormat& format, int width, int height) {
    return describe_format(format) + " " + std::to_string(width) + "x" + std::to_string(height);
}

void check_picture(const Picture& picture, const PixelFormat& format, int width, int height, const char* doing) {
    require(picture.format == format && picture.width == width && picture.height == height, doing,
            "the picture is " + in_words(picture.format, picture.width, picture.height) + ", not " +
                in_words(format, width, height));
}

void check_tensor(const at::Tensor& tensor, int width, int height, const char* doing) {
    require(tensor.defined() && tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.dim() == 3 &&
                tensor.size(0) == 3 && tensor.size(1) == height && tensor.size(2) == width,
            doing,
            "the tensor is not float32 [3," + std::to_string(height) + "," + std::to_string(width) + "] on the CPU");
    require(tensor.stride(2) == 1 || width == 1, doing, "the tensor's rows are not contiguous");
}

template <class Byte, class Float>
std::array<PlaneView<Byte>, 3> tensor_planes(Float* data, const at::Tensor& tensor) {
    std::array<PlaneView<Byte>, 3> planes;
    for (std::size_t plane = 0; plane < 3; ++plane) {
        planes[plane] = {reinterpret_cast<Byte*>(data + static_cast<std::ptrdiff_t>(plane) * tensor.stride(0)),
                         tensor.stride(1) * static_cast<std::ptrdiff_t>(sizeof(float)),
                         static_cast<int>(tensor.size(2)), static_cast<int>(tensor.size(1))};
    }
    return planes;
}

template <class Byte>
std::array<PlaneView<Byte>, 3> picture_planes(const Picture& picture) {
    std::array<PlaneView<Byte>, 3> planes;
    for (int plane = 0; plane < picture.format.colour_planes(); ++plane) {
        const auto index = static_cast<std::size_t>(plane);
        planes[index] = {picture.planes[index].data, picture.planes[index].stride,
                         picture.format.plane_width(plane, picture.width),
                         picture.format.plane_height(plane, picture.height)};
    }
    return planes;
}

void make_opaque(const Picture& picture) {
    const auto index = static_cast<std::size_t>(picture.format.colour_planes());
    const auto opaque = static_cast<std::uint16_t>((1U << picture.format.depth) - 1);
    for (int row = 0; row < picture.height; ++row) {
        std::byte* line = picture.planes[index].data + row * picture.planes[index].stride;
        if (picture.format.bytes_per_sample() == 1) {
            std::memset(line, opaque, static_cast<std::size_t>(picture.width));
        } else {
            std::fill_n(reinterpret_cast<std::uint16_t*>(line), picture.width, opaque);
        }
    }
}

ZimgGraph to_tensor_graph(const PixelFormat& format, const Colour& colour, int width, int height) {
    const zimg_image_format source = zimg_picture_format(format, colour, width, height);
    const zimg_image_format target =
        zimg_tensor_format(source, static_cast<int>(source.width), static_cast<int>(source.height));
    zimg_graph_builder_params params = zimg_parameters();
    params.filter_param_a_uv = kChromaUp.b;
    params.filter_param_b_uv = kChromaUp.c;
    return {source, target, params};
}

// One axis of the tensor as the graph's source. `padded` is the target's size in whole chroma samples. Where nothing is
// resampled the source is padded alike; else it is read a little beyond its edge, so that the scale stays exact.
struct Axis {
    int size;
    double active;
};
Axis source_axis(int source, int target, unsigned padded) {
    if (source == target) {
        return {static_cast<int>(padded), static_cast<double>(padded)};
    }
    return {source, static_cast<double>(source) * padded / target};
}

ZimgGraph from_tensor_graph(int source_width, int source_height, const PixelFormat& format, const Colour& colour,
                            int width, int height) {
    const zimg_image_format target = zimg_picture_format(format, colour, width, height);
    require(source_width > 0 && source_height > 0, "preparing the colour conversion", "the tensor is empty");
    const Axis x = source_axis(source_width, width, target.width);
    const Axis y = source_axis(source_height, height, target.height);
    zimg_image_format source = zimg_tensor_format(target, x.size, y.size);
    if (x.active != x.size || y.active != y.size) {
        source.active_region = {0, 0, x.active, y.active};
    }
    zimg_graph_builder_params params = zimg_parameters();
    params.dither_type = ZIMG_DITHER_ORDERED;
    if (width > source_width || height > source_height) {
        // zimg then resamples chroma from the small picture in one step: no halving that would undo kChromaUp.
        params.resample_filter_uv = ZIMG_RESIZE_SPLINE36;
    } else {
        const Bicubic down = chroma_down(format, colour.chroma_location);
        params.filter_param_a_uv = down.b;
        params.filter_param_b_uv = down.c;
    }
    return {source, target, params};
}

}   // namespace

struct PictureToTensor::State {
    PixelFormat format;
    int width;
    int height;
    ZimgGraph graph;
};

PictureToTensor::PictureToTensor(const PixelFormat& format, const Colour& colour, int width, int height)
    : state_(new State{format, width, height, to_tensor_graph(format, colour, width, height)}) {}

PictureToTensor::~PictureToTensor() = default;
PictureToTensor::PictureToTensor(PictureToTensor&&) noexcept = default;
PictureToTensor& PictureToTensor::operator=(PictureToTensor&&) noexcept = default;

void PictureToTensor::convert(const Picture& picture, at::Tensor& tensor) {
    constexpr const char* kDoing = "converting a picture to a tensor";
    check_picture(picture, state_->format, state_->width, state_->height, kDoing);
    check_tensor(tensor, state_->width, state_->height, kDoing);
    state_->graph.process(picture_planes<const std::byte>(picture),
                          tensor_planes<std::byte>(tensor.mutable_data_ptr<float>(), tensor));
}

struct TensorToPicture::State {
    int source_width;
    int source_height;
    PixelFormat format;
    int width;
    int height;
    ZimgGraph graph;
    std::optional<AlphaScaler> alpha;
};

TensorToPicture::TensorToPicture(int source_width, int source_height, const PixelFormat& format, const Colour& colour,
                                 int width, int height)
    : state_(new State{source_width, source_height, format, width, height,
                       from_tensor_graph(source_width, source_height, format, colour, width, height), std::nullopt}) {}

TensorToPicture::~TensorToPicture() = default;
TensorToPicture::TensorToPicture(TensorToPicture&&) noexcept = default;
TensorToPicture& TensorToPicture::operator=(TensorToPicture&&) noexcept = default;

void TensorToPicture::convert(const at::Tensor& tensor, Picture& picture, const Picture* alpha) {
    constexpr const char* kDoing = "converting a tensor to a picture";
    check_picture(picture, state_->format, state_->width, state_->height, kDoing);
    check_tensor(tensor, state_->source_width, state_->source_height, kDoing);
    state_->graph.process(tensor_planes<const std::byte>(tensor.const_data_ptr<float>(), tensor),
                          picture_planes<std::byte>(picture));
    if (!picture.format.alpha) {
        return;
    }
    if (alpha == nullptr) {
        make_opaque(picture);
        return;
    }
    if (!state_->alpha) {
        state_->alpha.emplace(*alpha, picture);
    }
    state_->alpha->convert(*alpha, picture);
}

}   // namespace millstream
