// Where one scene ends and the next begins.
#pragma once

#include <ATen/core/Tensor.h>

namespace millstream {

/// Whether `luma` starts another scene than `previous`: [1,1,h,w] float32, 0..1, of one size. Compares the 8x8 means'
/// histograms and the means themselves; a cut must show in both, so that neither a flash nor fast motion is one. Fades
/// and dissolves are none. Waits for the device: the one wait of a frame.
bool is_scene_cut(const at::Tensor& luma, const at::Tensor& previous);

}   // namespace millstream
