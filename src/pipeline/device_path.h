// How much of a frame's way is on the device that the network runs on.
#pragma once

#include <optional>
#include <string>

#include "media/decoder.h"
#include "pipeline/planner.h"

namespace millstream {

/// Frames can stay on the one device that the network runs on, from planes to planes: nothing that is asked for has to
/// be done in the host's memory.
bool stays_on_device(const PreparedJob& job);

/// For the plan, where --reuse cannot be what it is because frames of a device's network go through the host's memory;
/// empty: it can.
std::string words_of_refused_reuse(const PreparedJob& job);

/// Where frames of a hardware decoder are left for that; nothing: they go through the host's memory.
std::optional<DevicePlace> place_of_decoding(const PreparedJob& job);

/// Which of the two, and why, for the plan; empty where no hardware decodes.
std::string words_of_decoding(const PreparedJob& job);

/// Where frames are left for an encoder that reads them on that device; nothing: they come to the host's memory.
std::optional<DevicePlace> place_of_encoding(const PreparedJob& job);

/// For the plan; empty where they come to the host's memory.
std::string words_of_encoding(const PreparedJob& job);

}   // namespace millstream
