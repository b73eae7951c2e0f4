// Neighbouring frames for networks that take more than one. None here does: so far a test plugs one in.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>

#include "temporal/sliding_window.h"

namespace millstream {

/// A frame between its neighbours. Where a neighbour is missing (first and last frame of a scene) the frame stands in
/// for it. Tensors are shared, not copied.
struct Triplet {
    at::Tensor previous;
    at::Tensor current;
    at::Tensor next;
};

/// Turns a stream of frames into triplets, one a frame, in order, one frame late. One thread at a time.
class TripletWindow {
public:
    /// Holds at most three frames and `most_bytes`, of which two frames must fit: the oldest is the one to go.
    explicit TripletWindow(std::size_t most_bytes) : window_(3, most_bytes) {}

    /// Takes the next frame; returns the triplet around the one before it, if there is one. `starts_scene`: the frame
    /// has nothing to do with those before it. Throws Error(resource) where two frames do not fit.
    std::optional<Triplet> push(at::Tensor frame, bool starts_scene);

    /// The triplet around the last frame, once; the window is empty then.
    std::optional<Triplet> finish();

    [[nodiscard]] std::size_t bytes() const { return window_.bytes(); }

private:
    struct Entry {
        at::Tensor frame;
        bool starts_scene;
    };
    [[nodiscard]] const at::Tensor& previous_of(std::size_t age) const;

    SlidingWindow<Entry> window_;
};

}   // namespace millstream
