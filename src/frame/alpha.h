// Coverage beside the colours: resampled on its own, never enhanced.
#pragma once

#include <memory>

#include "picture/picture.h"

namespace millstream {

/// Alpha planes of one size and depth -> those of another (Spline36, not dithered: transparent stays transparent). One
/// thread at a time.
class AlphaScaler {
public:
    /// `source`: an alpha_plane(); `target`: a picture with alpha. Only their formats and sizes are looked at.
    AlphaScaler(const Picture& source, const Picture& target);
    ~AlphaScaler();
    AlphaScaler(AlphaScaler&&) noexcept;
    AlphaScaler& operator=(AlphaScaler&&) noexcept;

    /// Writes every sample of the target's alpha plane once. Throws Error(internal) for pictures of another shape.
    void convert(const Picture& source, Picture& target);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}   // namespace millstream
