// The binary half of an ncnn model: its .bin file, the layers' weights one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

namespace millstream {

/// Reads front to back. Every count is compared with what is left before anything is allocated.
/// Throws std::runtime_error with the reason; the importer adds file and layer.
class NcnnWeights {
public:
    explicit NcnnWeights(std::span<const std::byte> bytes) : bytes_(bytes) {}

    /// `count` values of 4 bytes (biases, slopes, constants).
    std::vector<float> plain(std::uint64_t count);
    /// `count` values behind ncnn's 4-byte tag that says how they are stored: fp32 or fp16 (padded to 4 bytes).
    std::vector<float> tagged(std::uint64_t count);

    [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

private:
    std::span<const std::byte> take(std::uint64_t count, std::uint64_t bytes_each);

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

/// IEEE 754 half precision.
float float_from_half(std::uint16_t half);

}   // namespace millstream
