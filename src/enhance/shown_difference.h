// How much of what an input has changed by shows in a network's output.
#pragma once

#include <ATen/core/Tensor.h>

#include "enhance/blocks.h"

namespace millstream {

// Note [What shows]
// Networks that enhance take grain for noise: what is as small as a pixel and differs from the frame that a block was
// computed of would hardly show in what they make of this one; what is larger shows as it is. Least squares of the
// default network's answer to such differences, over reused blocks of six clips, 8 to 24 frames each: a share of the
// mean of 9x9 pixels, and a share of the rest, by how busy a block is (Note [Tolerance] in reuse_plan.h):
//
//     busy                 0-1   1-2   2-4   4-7   7-12   12-
//     chaplin             .25   .41   .62   .77   .80   .82    and of the mean  .96 - 1.01
//     bottle-detection    .00   .22   .34   .31   .66   .67                     .99 - 1.04
//     onepiece_demo       .09   .20   .39   .38   .31   .35                     .86 - .91
//     bbb_480p_30s        .07   .33   .82                                       .84 - .98
//     carphone_pristine         .17   .44   .75   .55   .73                     .95 - 1.01
//     flipping_a_pancake  .20   .21   .35   .55   .59                           .94 - .97
//
// Here the mean comes through as it is, and of the rest 0.7 * busy / (busy + 2); but all of it from 16 codes on: grain
// is not as strong as that, and a line that comes or goes is. Mean square error of those blocks, in codes, against
// adding the whole difference: 2.0 -> 1.8, 1.0 -> 0.7, 1.3 -> 1.0, 1.6 -> 0.9, 3.1 -> 1.9, 4.6 -> 2.3.

/// Of what is as small as a pixel, by how `busy` a block is, in codes.
BlockGrid<float> shown_shares(const BlockGrid<float>& busy);

/// [3,h,w]: what of `input - base` shows.
at::Tensor shown_difference(const at::Tensor& input, const at::Tensor& base, const BlockGrid<float>& shares);
/// The same but for rounding, by tensor operations of any device; `shares` there: [rows,columns].
at::Tensor shown_difference_there(const at::Tensor& input, const at::Tensor& base, const at::Tensor& shares);

}   // namespace millstream
