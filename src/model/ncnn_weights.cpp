#include "model/ncnn_weights.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

namespace millstream {
namespace {

// ncnn: src/modelbin.cpp.
constexpr std::uint32_t kTagPlain = 0;
constexpr std::uint32_t kTagFloat = 0x0002C056;
constexpr std::uint32_t kTagHalf = 0x01306B47;

static_assert(std::endian::native == std::endian::little, "weights are little-endian");

void check_finite(const std::vector<float>& values) {
    for (const float value : values) {
        if (!std::isfinite(value)) {
            throw std::runtime_error("its weights hold a value that is not a finite number");
        }
    }
}

}   // namespace

float float_from_half(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1FU;
    const std::uint32_t mantissa = half & 0x3FFU;
    if (exponent == 0) {   // zero or subnormal: mantissa * 2^-24
        const float value = static_cast<float>(mantissa) * 0x1p-24F;
        return sign != 0 ? -value : value;
    }
    const std::uint32_t bits =
        exponent == 31 ? sign | 0x7F800000U | (mantissa << 13) : sign | ((exponent + 112) << 23) | (mantissa << 13);
    return std::bit_cast<float>(bits);
}

std::span<const std::byte> NcnnWeights::take(std::uint64_t count, std::uint64_t bytes_each) {
    if (count > left() / bytes_each) {
        throw std::runtime_error("its weights need " + std::to_string(count) + " values of " +
                                 std::to_string(bytes_each) + " bytes but only " + std::to_string(left()) +
                                 " bytes are left; the file may be cut short");
    }
    const std::span<const std::byte> result = bytes_.subspan(at_, static_cast<std::size_t>(count * bytes_each));
    at_ += result.size();
    return result;
}

std::vector<float> NcnnWeights::plain(std::uint64_t count) {
    const std::span<const std::byte> bytes = take(count, sizeof(float));
    std::vector<float> values(static_cast<std::size_t>(count));
    if (!bytes.empty()) {
        std::memcpy(values.data(), bytes.data(), bytes.size());
    }
    check_finite(values);
    return values;
}

std::vector<float> NcnnWeights::tagged(std::uint64_t count) {
    std::uint32_t tag = 0;
    std::memcpy(&tag, take(1, sizeof tag).data(), sizeof tag);
    if (tag == kTagPlain || tag == kTagFloat) {
        return plain(count);
    }
    if (tag != kTagHalf) {
        throw std::runtime_error("its weights are stored in a way that is not supported (tag " + std::to_string(tag) +
                                 "; fp32 and fp16 are)");
    }
    const std::span<const std::byte> bytes = take(count, sizeof(std::uint16_t));
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint16_t)) {
        std::uint16_t half = 0;
        std::memcpy(&half, &bytes[i], sizeof half);
        values.push_back(float_from_half(half));
    }
    take(count % 2, sizeof(std::uint16_t));   // padding to 4 bytes
    check_finite(values);
    return values;
}

}   // namespace millstream
