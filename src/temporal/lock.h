// The temporal lock: successive output frames are held together where the input says that only noise changed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <limits>

#include "millstream/options.h"
#include "motion/motion.h"
#include "temporal/blend_cpu.h"
#include "temporal/sliding_window.h"

namespace millstream {

/// How strongly the lock holds.
struct LockSettings {
    float most_history = 2;     ///< frames: the weight of history is at most most_history / (most_history + 1)
    float floor = 2.5F / 255;   ///< input residual that is taken for noise in any case, in 0..1 of the signal's codes
};

/// `preset` must not be off.
LockSettings lock_settings(TemporalPreset preset);

/// Note [The lock]
/// History is one frame, the lock's own last output, brought to its new place by the input's flow (bicubic) and, in a
/// fade, to this frame's light (Note [Fades]). How much of it goes into the new frame follows from the input alone:
/// where the motion-compensated residual stands out of the noise, nothing (Note [What is trusted]); elsewhere, as much
/// as frames agreed so far, like a Kalman filter's gain, up to a small number, because every warp costs sharpness. What
/// enters is clipped to the mean and spread of the new frame's 3x3 neighbourhood (variance clipping, M. Salvi, An
/// Excursion in Temporal Supersampling, GDC 2016), so that no ghost of the old scene can stay. Where the input is
/// bit-identical, the last output is copied, bit for bit.
///
/// Note [What is trusted]
/// Two things must hold, each measured against the noise and a floor. The residual, of whatever sign, must be small;
/// less so where there is contrast: a flow that is slightly off leaves a part of it. And the mean of
/// the difference over 5x5 pixels must be small: noise has none, a shadow, a smear or something new has. The noise is
/// the median of what changed, up to 3 codes, where most of the picture is repeated exactly by its coder. Against a
/// floor of 3 codes, no allowance for contrast, no test of the mean and the median of everything: 36 frames, x2,
/// medium; share of the warping error taken away, and of the ghost as far as it does not point to the original, too:
///   chaplin 0.15 -> 0.20, ghost 0.002 -> 0.004    flipping_a_pancake 0.34 -> 0.32, 0.009 -> 0.007
///   carphone 0.24 -> 0.28, 0.002 -> 0.005         nasa_13013 0.32 -> 0.41, 0 -> 0
/// and of photographs under noise of 5 codes in slow motion, 0.64 -> 0.69, PSNR +0.52 -> +0.54 dB. Any one of the three
/// alone buys steadiness with ghosts, or the other way round.
///
/// Follows one video, frame by frame, on one thread at a time. Holds on to the last output frame (a reference, not a
/// copy) and to one number per input pixel.
class TemporalLock {
public:
    /// History beyond `most_bytes` is not kept; a frame larger than that is never held.
    explicit TemporalLock(LockSettings settings, std::size_t most_bytes = std::numeric_limits<std::size_t>::max())
        : settings_(settings), window_(1, most_bytes) {}

    /// Stabilises `frame` in place. `frame`: [3,k*h,k*w] float32, the network's output for the frame that `motion`
    /// ([h,w]) describes. The first frame and the first after a cut or a change of size stay as they are. No value
    /// leaves 0..1 that was inside. The caller must not write to it until the next frame is through. Throws
    /// Error(internal) for a frame of another kind or size.
    void stabilise(const Motion& motion, at::Tensor& frame);

    /// Moves the last output to within `most` of `other`'s, which followed the same frames, value by value; what is
    /// that near already stays bit for bit. Later frames start from there. Nothing happens where either has none.
    void approach(const TemporalLock& other, float most);

    /// Forgets everything.
    void reset();

    /// Weight of history in the last frame, [h,w], 0..1; undefined where there was none.
    [[nodiscard]] const at::Tensor& weight() const { return weight_; }
    /// Memory that history holds on to.
    [[nodiscard]] std::size_t bytes() const { return window_.bytes(); }

private:
    struct History {
        at::Tensor output;   // [3,k*h,k*w]
        at::Tensor count;    // [1,1,h,w]: frames that agreed
    };
    void remember(const at::Tensor& frame, at::Tensor count);

    LockSettings settings_;
    SlidingWindow<History> window_;
    CpuBlend cpu_blend_;
    at::Tensor weight_;
};

}   // namespace millstream
