// Room `config`: what users write, as options: words of the command line, configuration files, presets.
// This header: the text of one option -> its value. Each throws Error(usage) that names the option, the text and what
// would be right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "millstream/options.h"

namespace millstream {

using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// A whole decimal number within [smallest, largest].
int parse_number(std::string_view option, std::string_view text, int smallest, int largest);

/// A decimal number within [smallest, largest].
double parse_decimal(std::string_view option, std::string_view text, double smallest, double largest);

Size parse_size(std::string_view option, std::string_view text);     ///< "1920x1080", each side 1..65535
std::optional<int> parse_tile(std::string_view text);                ///< "auto" = absent, "off" = 0, else pixels >= 16
int parse_batch(std::string_view text);                              ///< "auto" = 0, else 1..256
ReleasePolicy parse_release(std::string_view text);                  ///< "auto", "every_frame" or "on_pressure"
std::pair<double, double> parse_thresholds(std::string_view text);   ///< "80,92" in percent, rising -> 0.80, 0.92
DiskLimit parse_disk_limit(std::string_view text);                   ///< "80%", "20GiB" or "none"
TotalLimit parse_total(std::string_view text);                       ///< "3.0", "20GiB" or "none"
ChunkLength parse_chunk(std::string_view text);                      ///< "auto", "8s" or "200f"
Resume parse_resume(std::string_view text);
std::uint64_t parse_memory(std::string_view option, std::string_view text);        ///< bytes with suffix, not 0
KeyValues parse_key_values(std::string_view option, std::string_view text);        ///< "k=v" or "k=v:k=v"
StreamSelection parse_selection(std::string_view option, std::string_view text);   ///< "all", "none" or "1,3"

Backend parse_backend(std::string_view text);
Precision parse_precision(std::string_view text);
ColourFixing parse_colour_fix(std::string_view text);
Crop parse_crop(std::string_view text);   ///< "off", "auto" or "WIDTH:HEIGHT:X:Y"
Alpha parse_alpha(std::string_view text);
Deinterlace parse_deinterlace(std::string_view text);
Runner parse_runner(std::string_view text);
Reuse parse_reuse(std::string_view text);
TemporalPreset parse_temporal(std::string_view text);
FlowQuality parse_temporal_flow(std::string_view text);
DebugView parse_debug_view(std::string_view text);
std::string parse_codec(std::string_view text);
/// "auto", "auto:N", "cpu", "cuda", "cuda:N", "openvino:GPU", "openvino:GPU.N", or several with commas between. What is
/// there is looked at when the job is planned.
std::string parse_device(std::string_view text);
bool parse_switch(std::string_view option, std::string_view text);   ///< "true", "false" and what else YAML calls so

/// The other way: the text that gives this value.
std::string text_of(Size size);
std::string text_of(Backend value);
std::string text_of(Precision value);
std::string text_of(ColourFixing value);
std::string text_of(const Crop& crop);
std::string text_of(Alpha value);
std::string text_of(Deinterlace value);
std::string text_of(ReleasePolicy value);
std::string text_of(Resume value);
std::string text_of(Runner value);
std::string text_of(TemporalPreset value);
std::string text_of(Reuse value);
std::string text_of(FlowQuality value);
std::string text_of(DebugView value);
std::string text_of(const DiskLimit& limit);
std::string text_of(const TotalLimit& limit);
std::string text_of(const ChunkLength& chunk);
std::string text_of(const KeyValues& pairs);
std::string text_of(const StreamSelection& selection);

}   // namespace millstream
