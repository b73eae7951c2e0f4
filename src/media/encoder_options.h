// EncoderSettings -> the options that an FFmpeg encoder knows under its own names.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/av.h"
#include "media/encoding.h"

namespace millstream {

using OptionList = std::vector<std::pair<std::string, std::string>>;

/// What an encoder does at its preset, for those whose presets we know (x264 r3095 --fullhelp, x265 3.5 presets doc).
struct PresetFigures {
    int lookahead = 40;   ///< frames
    int references = 3;
    int b_frames = 3;
};

/// How much we know of an encoder.
struct EncoderTraits {
    std::string default_preset;   ///< empty = it has none, or its own default is used
    int default_crf = 23;
    std::string parameters_option;   ///< "x265-params": options inside one option; empty = none
};

EncoderTraits traits_of(const std::string& encoder);
/// Empty where we do not know them all.
std::vector<std::string> preset_names(const std::string& encoder);
PresetFigures figures_of(const std::string& encoder, const std::string& preset);

/// One of the two names of x264, of which one takes RGB.
bool is_x264(const std::string& encoder);

/// How many threads are best for a machine with so many processors.
int threads_of(const std::string& encoder, int processors);

/// x265's own choice of frame threads for a pool of so many threads (3.5, encoder.cpp).
int x265_frame_threads(int pool);

/// In the order they are to be set: ours, then the user's. `codec` decides which of several names quality has.
OptionList encoder_options(const EncoderSettings& settings, const AVCodec& codec);

/// Whether the encoder itself (not libavcodec in general) has the option.
bool has_private_option(const AVCodec& codec, const char* name);

/// The value of the last of the user's options with one of these names.
std::optional<int> number_in_extra(const EncoderSettings& settings, const std::vector<std::string>& names);

}   // namespace millstream
