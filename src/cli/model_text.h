// The catalogue of networks for people and programs. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "millstream/model.h"

namespace millstream {

/// A table: name, scales, installed or not, licence, description. A name with several scales is one row.
std::string model_table(const std::vector<ModelInfo>& models);

/// Everything known of the file sets called `name`. Throws Error(model) with the nearest name when there is none.
std::string model_details(const std::vector<ModelInfo>& models, const std::string& name);

/// An array of the structs, two-space indented, line end included. Only those called `name` unless it is empty; throws
/// as model_details does.
std::string model_json(const std::vector<ModelInfo>& models, const std::string& name = {});

}   // namespace millstream
