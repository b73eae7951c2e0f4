// Frames as at::Tensor, without copies. For programs that link Torch themselves; the library does not need this header.
#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "millstream/error.h"
#include "millstream/filter.h"
#include "millstream/frames.h"

namespace millstream {

/// The planar pixels of a frame: [3,h,w] float32 on the CPU, R G B, 0..1 nominal. Keeps the memory, not the frame.
inline at::Tensor tensor_of(const VideoFrame& frame) {
    const PlanarPixels pixels = frame.planar();
    return at::from_blob(
        pixels.data, {3, pixels.height, pixels.width}, {pixels.plane, pixels.row, 1}, [owner = pixels.owner](void*) {},
        at::TensorOptions().dtype(at::kFloat));
}

/// A frame that shares the tensor's memory: [3,h,w] float32 on the CPU, rows contiguous. Throws Error(usage) otherwise.
inline VideoFrame frame_of(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.is_cpu() || tensor.scalar_type() != at::kFloat || tensor.dim() != 3 ||
        tensor.size(0) != 3 || tensor.stride(2) != 1) {
        throw Error(ErrorKind::usage, {"taking a tensor as a frame", "",
                                       "it is not [3,h,w] float32 on the CPU with contiguous rows", ""});
    }
    PlanarPixels pixels;
    pixels.data = tensor.mutable_data_ptr<float>();
    pixels.height = static_cast<int>(tensor.size(1));
    pixels.width = static_cast<int>(tensor.size(2));
    pixels.row = tensor.stride(1);
    pixels.plane = tensor.stride(0);
    pixels.owner = std::make_shared<at::Tensor>(tensor);
    return VideoFrame(std::move(pixels));
}

/// A FrameFilter whose work is one function from tensor to tensor.
class TensorFilter : public FrameFilter {
public:
    /// `batch`: [n,3,h,w] float32 on the CPU, R G B, 0..1 nominal; may be changed in place. Returns it, or another of
    /// the same shape, which takes its place without being copied where it is contiguous float32 on the CPU.
    virtual at::Tensor process(at::Tensor batch) = 0;

    void process(FilterBatch& batch) final {
        const at::Tensor pixels = at::from_blob(
            batch.data, {batch.frames, 3, batch.height, batch.width}, [owner = batch.owner](void*) {},
            at::TensorOptions().dtype(at::kFloat));
        const at::Tensor result = process(pixels).to(at::kCPU, at::kFloat).contiguous();
        if (result.sizes() != pixels.sizes()) {
            throw Error(ErrorKind::usage, {"running the caller's filter", "", "it gave a tensor of another shape", ""});
        }
        batch.data = result.mutable_data_ptr<float>();
        batch.owner = std::make_shared<at::Tensor>(result);
    }
};

}   // namespace millstream
