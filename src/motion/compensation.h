// The frame before brought to this frame's place by the flow, and what is left between them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "motion/motion.h"

namespace millstream {

namespace compensation {
inline constexpr float kDeadZone = 0.12F;         // pixels: below the flow's own error, a shift would only blur
inline constexpr float kMostNoise = 8.0F / 255;   // a frame that changes everywhere does not raise the scale further
inline constexpr float kMostCodedNoise = 3.0F / 255;   // what has changed may all be something new
inline constexpr float kLeastChange = 0.25F / 255;     // of a pixel that the coder has not just repeated
inline constexpr std::int64_t kStillWindow = 5;        // pixels a side
}   // namespace compensation

/// Everything of a Motion but the cut, in tensor operations of any device. `now`, `before`: [1,3,h,w]; `flow`:
/// [1,2,h,w], as it was found; `light`: of change_of_light(). Never waits for the device.
Motion reference_compensation(const at::Tensor& now, const at::Tensor& before, const at::Tensor& flow,
                              const at::Tensor& light);

/// The same on a CPU in one pass over the rows, but for rounding. One thread at a time calls it; rows are shared out to
/// Torch's threads. Owns a byte of scratch memory a pixel.
class CpuCompensation {
public:
    /// All contiguous. `flow` and `light` become the Motion's own.
    Motion compensate(const at::Tensor& now, const at::Tensor& before, at::Tensor flow, at::Tensor light);

private:
    std::vector<std::uint8_t> changed_;   // within two pixels to the left and right
};

namespace compensation {
/// Rec. 601 luma on a CPU: [3,h,w] -> [1,1,h,w].
at::Tensor luma_plane(const at::Tensor& rgb);
/// Flow [1,2,h,w] shorter than the dead zone becomes none. Any device; never waits for it.
at::Tensor without_small_moves(const at::Tensor& flow);
}   // namespace compensation

/// The scale of the noise from a residual [h,w]: its median, or if that is more, up to kMostCodedNoise the median of
/// what has changed at all. Most of a still, coded picture is repeated exactly; its noise shows in the rest. Never
/// waits for the device.
at::Tensor noise_scale(const at::Tensor& residual);

}   // namespace millstream
