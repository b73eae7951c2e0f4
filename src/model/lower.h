// Rewrites a network into one of fewer kinds of layers, with the same result. Executors run the rewritten form.
#pragma once

#include "model/network.h"

namespace millstream {

/// Replaces every `interpolate`, except nearest by a whole factor upwards, by an exact convolution: for a factor p/q,
/// `pad` (edge replicated), a depthwise convolution with stride q and p*p outputs a channel, `pixel_shuffle` by p.
/// A filter that is the same at every q-th pixel is a strided convolution, and runs as fast as one.
/// Layers that the output does not need are left out. `network` must have passed node_shapes().
/// Derived fields are copied, not computed again.
Network lowered(const Network& network);

}   // namespace millstream
