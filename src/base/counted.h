// Numbers in sentences.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millstream {

/// "1 frame", "0 frames", "2 frames were": the count and what fits it.
inline std::string counted(std::int64_t count, std::string_view one, std::string_view several) {
    std::string text = std::to_string(count);
    text += ' ';
    text += count == 1 ? one : several;
    return text;
}

}   // namespace millstream
