#include "verify/words.h"

#include <array>
#include <cstdio>

namespace millstream {

std::string fixed(double value, int decimals) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string time_words(double seconds) {
    return fixed(seconds, 4) + " s";
}

std::string frame_words(std::int64_t frame, double seconds) {
    return "frame " + std::to_string(frame) + " (" + fixed(seconds, 3) + " s)";
}

std::string stream_words(const StreamInfo& stream) {
    std::string text = "stream " + std::to_string(stream.index) + " (" + to_string(stream.kind) + " " + stream.codec;
    return text + (stream.language.empty() ? "" : ", " + stream.language) + ")";
}

}   // namespace millstream
