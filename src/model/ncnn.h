// ncnn importer on bytes in memory: what import_ncnn() does once the files are read. Safe on any bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "model/network.h"

namespace millstream {

/// `param_file` and `bin_file` are only named in errors. Throws Error(model) naming file, layer and reason.
Network parse_ncnn(std::string_view param, std::span<const std::byte> bin, const std::string& param_file,
                   const std::string& bin_file);

}   // namespace millstream
