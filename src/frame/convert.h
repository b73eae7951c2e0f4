// Room `frame`: picture <-> tensor, by zimg, straight into and out of the tensor's memory.
// A tensor is [3,H,W] float32, R G B, 0..1 nominal, gamma as in the source (never linearised), not clamped: what lies
// outside 0..1 (super-white, out-of-gamut chroma) survives an identity network.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "picture/picture.h"

namespace millstream {

/// Pictures of one format, size and colour -> RGB tensors. One thread at a time; owns its scratch lines.
class PictureToTensor {
public:
    /// `colour` must be resolved (resolve_colour); rgb has the range `colour.full_range` says, like any other format.
    /// Throws Error(input) for a combination zimg cannot convert.
    PictureToTensor(const PixelFormat& format, const Colour& colour, int width, int height);
    ~PictureToTensor();
    PictureToTensor(PictureToTensor&&) noexcept;
    PictureToTensor& operator=(PictureToTensor&&) noexcept;

    /// Writes every element of `tensor` once. `tensor`: [3,H,W] float32, CPU, rows contiguous, of any alignment
    /// (64-byte aligned rows save a pass through the cache). Alpha is ignored. A gray picture gives R = G = B. Throws
    /// Error(internal) for a picture or tensor of another shape.
    void convert(const Picture& picture, at::Tensor& tensor);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// RGB tensors of one size -> pictures, resampled in the same pass where the sizes differ (Spline36), with ordered
/// dither: error diffusion would change a still area when something beside it moves. Chroma goes down by the kernel
/// that undoes PictureToTensor's: an unchanged tensor gives the picture back (Note [Chroma there and back]).
class TensorToPicture {
public:
    /// `colour` as the encoder writes it, resolved. `source`: the tensor's size. Throws as above.
    TensorToPicture(int source_width, int source_height, const PixelFormat& format, const Colour& colour, int width,
                    int height);
    ~TensorToPicture();
    TensorToPicture(TensorToPicture&&) noexcept;
    TensorToPicture& operator=(TensorToPicture&&) noexcept;

    /// Writes every sample of `picture` once (format and size as constructed). `tensor`: [3,H,W] float32, CPU, rows
    /// contiguous. `alpha`: an alpha_plane() of any size, the same every time; without it an alpha plane becomes
    /// opaque.
    void convert(const at::Tensor& tensor, Picture& picture, const Picture* alpha = nullptr);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}   // namespace millstream
