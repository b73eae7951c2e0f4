// Configuration files and presets, as Python dictionaries.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

#include "calls.h"

namespace millstream::python {

/// A file, preset name, or (`text` not empty) JSON text with `file` as its name: every key with its effect.
nanobind::dict read_configuration_call(const std::string& file, const std::string& text, const std::string& quality);

/// Default, preset, configuration and `settings` over each other: values with their origins, and warnings.
nanobind::dict resolve_call(const std::string& preset, const std::string& file, const std::string& text,
                            const std::string& quality, const Settings& settings);

}   // namespace millstream::python
