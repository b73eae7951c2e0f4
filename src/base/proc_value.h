// What the kernel and its drivers tell in files of lines "key   : value".
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace millstream {

/// The value of the first line whose key begins with `key`, without the space before it; empty = there is none.
inline std::string value_behind(const std::filesystem::path& file, std::string_view key) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        const std::size_t colon = line.find(':');
        if (line.starts_with(key) && colon != std::string::npos) {
            const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
            return begin == std::string::npos ? "" : line.substr(begin);
        }
    }
    return {};
}

}   // namespace millstream
