#include "pipeline/video_frame.h"

#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <utility>

#include "frame/packed.h"
#include "millstream/error.h"

namespace millstream {
namespace {

std::int64_t floats_of_packed(Size size) {
    const std::int64_t bytes = std::int64_t{size.width} * size.height * 3;
    return (bytes + 3) / 4;
}

void check(const void* data, int width, int height) {
    if (data == nullptr || width < 1 || height < 1) {
        throw Error(ErrorKind::usage, {"taking a frame", "", "it has no pixels", ""});
    }
}

}   // namespace

std::shared_ptr<void> keep(const at::Tensor& tensor) {
    return std::make_shared<at::Tensor>(tensor);
}

FrameOrigin::FrameOrigin(Size size)
    : size_(size), planar_({3, size.height, size.width}), packed_({floats_of_packed(size)}) {}

void FrameOrigin::convert(const Picture& picture, at::Tensor& tensor) {
    const std::lock_guard lock(mutex_);
    const Colour colour = resolve_colour(picture.colour, picture.format, picture.height);
    if (!converter_ || colour != colour_ || picture.format != format_) {
        converter_.emplace(picture.format, colour, picture.width, picture.height);
        colour_ = colour;
        format_ = picture.format;
    }
    converter_->convert(picture, tensor);
}

FrameCounts FrameOrigin::counts() const {
    return {.live = live.load(),
            .planar_writes = planar_writes.load(),
            .packed_writes = packed_writes.load(),
            .buffers = planar_.allocated() + packed_.allocated(),
            .buffers_in_use = planar_.live() + packed_.live()};
}

VideoFrame::State::State(std::shared_ptr<FrameOrigin> frame_origin) : origin(std::move(frame_origin)) {
    ++origin->live;
}

at::Tensor VideoFrame::State::planar() {
    const std::lock_guard lock(mutex);
    return planar_locked();
}

at::Tensor VideoFrame::State::planar_locked() {
    if (planar_pixels.defined()) {
        return planar_pixels;
    }
    const c10::InferenceMode inference;
    at::Tensor tensor = origin->take_planar();
    if (picture.owner) {
        origin->convert(picture, tensor);
        picture = {};   // the decoder may have its memory back
    } else {
        const PackedPixels& pixels = bgr.data != nullptr ? bgr : rgb;
        unpack({pixels.data, pixels.row, pixels.order == ChannelOrder::bgr}, tensor);
    }
    ++origin->planar_writes;
    planar_pixels = std::move(tensor);
    return planar_pixels;
}

PackedPixels VideoFrame::State::packed(ChannelOrder order) {
    const std::lock_guard lock(mutex);
    PackedPixels& pixels = order == ChannelOrder::bgr ? bgr : rgb;
    if (pixels.data == nullptr) {
        const at::Tensor source = planar_locked();
        const c10::InferenceMode inference;
        const at::Tensor memory = origin->take_packed();
        const Size size = origin->size();
        PackedPixels made;
        made.data = reinterpret_cast<std::uint8_t*>(memory.data_ptr());
        made.width = size.width;
        made.height = size.height;
        made.row = std::ptrdiff_t{3} * size.width;
        made.order = order;
        made.owner = keep(memory);
        pack(source, {made.data, made.row, order == ChannelOrder::bgr});
        ++origin->packed_writes;
        pixels = std::move(made);
    }
    return pixels;
}

VideoFrame::VideoFrame(PackedPixels pixels) {
    check(pixels.data, pixels.width, pixels.height);
    state_ = std::make_shared<State>(std::make_shared<FrameOrigin>(Size{pixels.width, pixels.height}));
    (pixels.order == ChannelOrder::bgr ? state_->bgr : state_->rgb) = std::move(pixels);
}

VideoFrame::VideoFrame(PlanarPixels pixels) {
    check(pixels.data, pixels.width, pixels.height);
    state_ = std::make_shared<State>(std::make_shared<FrameOrigin>(Size{pixels.width, pixels.height}));
    state_->planar_pixels = at::from_blob(
        pixels.data, {3, pixels.height, pixels.width}, {pixels.plane, pixels.row, 1}, [owner = pixels.owner](void*) {},
        at::TensorOptions().dtype(at::kFloat));
}

Size VideoFrame::size() const {
    return state_->origin->size();
}
std::int64_t VideoFrame::index() const {
    return state_->index;
}
double VideoFrame::time_s() const {
    return state_->time_s;
}
double VideoFrame::duration_s() const {
    return state_->duration_s;
}

PlanarPixels VideoFrame::planar() const {
    const at::Tensor tensor = state_->planar();
    return {static_cast<float*>(tensor.data_ptr()),
            static_cast<int>(tensor.size(2)),
            static_cast<int>(tensor.size(1)),
            tensor.stride(1),
            tensor.stride(0),
            keep(tensor)};
}

PackedPixels VideoFrame::packed(ChannelOrder order) const {
    return state_->packed(order);
}

VideoFrame VideoFrame::at_time_of(const VideoFrame& other) const {
    auto state = std::make_shared<State>(state_->origin);
    {
        const std::lock_guard lock(state_->mutex);
        state->picture = state_->picture;
        state->planar_pixels = state_->planar_pixels;
        state->bgr = state_->bgr;
        state->rgb = state_->rgb;
    }
    state->index = other.state_->index;
    state->pts = other.state_->pts;
    state->duration = other.state_->duration;
    state->time_s = other.state_->time_s;
    state->duration_s = other.state_->duration_s;
    return VideoFrame(std::move(state));
}

}   // namespace millstream
