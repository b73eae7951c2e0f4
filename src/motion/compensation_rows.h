// Rows of the compensation: loops over pixels that the compiler vectorises; none allocates.
#pragma once

#include <cstdint>

namespace millstream::compensation {

/// One frame's planes, each `height` rows of `width` values.
struct Planes {
    const float* channel[3];
    std::int64_t height;
    std::int64_t width;
};

/// What brings the frame before to the light of this one.
struct Light {
    float gain;
    float offset;
};

/// What a row's compensation leaves.
struct CompensatedRow {
    float* flow_x;   ///< in and out: small moves become none
    float* flow_y;
    float* warped[3];
    float* residual;
    float* difference;
    bool* valid;
};

void compensate_row(const Planes& now, const Planes& before, Light light, std::int64_t y, const CompensatedRow& to);

/// Whether any channel changed within two pixels to the left and right. `work` has room for width + 4 values.
void changed_row(const Planes& now, const Planes& before, std::int64_t y, std::uint8_t* work, std::uint8_t* to);

/// Flow shorter than the dead zone becomes none.
void rest(float* flow_x, float* flow_y, std::int64_t count);

/// Rec. 601 luma.
void luma_row(const float* red, const float* green, const float* blue, std::int64_t width, float* to);

}   // namespace millstream::compensation
