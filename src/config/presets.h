// Presets that are built in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millstream {

/// The preset as the text of a file (JSON), or nothing. Its keys are those of a preset file. `quality` (fast, balanced,
/// high; others and empty: none) changes the batch of presets that name no quality themselves.
std::optional<std::string> built_in_preset(std::string_view name, std::string_view quality = {});

/// Their names, those with a quality in them before the venues alone.
std::vector<std::string> built_in_presets();

}   // namespace millstream
