// `millstream doctor`: what is here, what is missing, what to do. Pure function.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "millstream/model.h"
#include "millstream/system.h"

namespace millstream {

/// A few aligned lines. `searched`: the folders where weights were looked for.
std::string doctor_text(const SystemInfo& system, const std::vector<ModelInfo>& models,
                        const std::vector<std::filesystem::path>& searched);

}   // namespace millstream
