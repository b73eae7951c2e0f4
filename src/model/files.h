// Reading model files whole, within bounds.
#pragma once

#include <filesystem>
#include <vector>

namespace millstream {

struct NcnnFiles {
    std::vector<char> param;
    std::vector<char> bin;
};

/// Throws Error(model) naming the file that is missing, no file, too large or not readable.
NcnnFiles read_ncnn(const std::filesystem::path& param, const std::filesystem::path& bin);

}   // namespace millstream
