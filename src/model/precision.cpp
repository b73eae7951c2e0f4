#include "model/precision.h"

#include <algorithm>

#include "model/analyse.h"

// Note [Brightness]
// bf16 throughout makes animevideov3 x2 half a code value darker (-0.56 of 255 on a real frame, bf16 in software; -0.25
// was measured with OpenVINO on hardware), and x4 0.2 brighter. Two causes, both gone when the layers that carry the
// picture's own values stay in fp32:
// - The bicubic end of x2 has the weight 361/1024, which bf16 rounds to 360/1024. Four such weights make a picture
//   0.4 % darker.
// - A picture's 8-bit values and their sum with a small difference are rounded to 8 bits of mantissa. A flat area is
//   rounded the same way everywhere, so this does not average out; for the same reason no correction of the last bias
//   can undo it (tried: -0.56 became -0.52).
// With them in fp32 the shift is 0.002 code values and bf16 is within 75 dB of fp32 instead of 52. A SPAN has no
// picture to add its result to; with its last convolutions in fp32 it goes from 54-57 to 63-67 dB and below 0.01 code
// values.

namespace millstream {
namespace {

// Depthwise convolutions are resampling filters here (see lowered()), not layers that learnt features.
bool mixes_channels(const Node& node) {
    return is_convolution(node) && (node.groups == 1 || node.shape[1] > 1);
}

bool reads_only(const Node& node, const std::vector<bool>& those) {
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&those](int input) { return those[static_cast<std::size_t>(input)]; });
}

// The picture itself, constants, and what is made of them before the first features.
std::vector<bool> made_of_picture(const Network& lowered) {
    std::vector<bool> picture(lowered.nodes.size(), false);
    for (std::size_t i = 0; i < lowered.nodes.size(); ++i) {
        picture[i] = !mixes_channels(lowered.nodes[i]) && reads_only(lowered.nodes[i], picture);
    }
    return picture;
}

}   // namespace

std::vector<bool> layers_in_fp32(const Network& lowered) {
    const std::size_t count = lowered.nodes.size();
    const std::vector<bool> picture = made_of_picture(lowered);
    std::vector<bool> fp32(count, false);
    for (std::size_t i = 0; i < count; ++i) {
        fp32[i] = picture[i] || reads_only(lowered.nodes[i], picture);
    }
    // Back from the output to the last layers that learnt features.
    std::vector<bool> tail(count, false);
    tail[static_cast<std::size_t>(lowered.output)] = true;
    bool adds_picture = false;
    std::vector<std::size_t> last;
    for (std::size_t i = count; i-- > 0;) {
        const Node& node = lowered.nodes[i];
        if (!tail[i]) {
            continue;
        }
        if (mixes_channels(node)) {
            last.push_back(i);
            continue;
        }
        fp32[i] = true;
        for (const int input : node.inputs) {
            tail[static_cast<std::size_t>(input)] = true;
            adds_picture = adds_picture || picture[static_cast<std::size_t>(input)];
        }
    }
    if (adds_picture) {
        return fp32;   // the last convolution gives a small difference: rounding it does no harm
    }
    for (std::size_t i : last) {
        fp32[i] = true;
        for (i = static_cast<std::size_t>(lowered.nodes[i].inputs[0]);
             mixes_channels(lowered.nodes[i]) && lowered.nodes[i].kernel == 1;
             i = static_cast<std::size_t>(lowered.nodes[i].inputs[0])) {
            fp32[i] = true;
        }
    }
    return fp32;
}

}   // namespace millstream
