// Where weights lie on this machine. The public half is millstream/model.h.
#pragma once

#include <filesystem>
#include <vector>

#include "millstream/model.h"
#include "model/catalogue.h"

namespace millstream {

/// $XDG_DATA_HOME/millstream/models or ~/.local/share/millstream/models; empty without a home.
std::filesystem::path user_models_folder();

/// The folder that holds both files of `entry`, as its package lays them out or side by side; empty when none does.
std::filesystem::path find_entry(const CatalogueEntry& entry, const std::vector<std::filesystem::path>& folders);

}   // namespace millstream
