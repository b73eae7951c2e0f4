// SHA-256, by OpenSSL's libcrypto.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace millstream {

/// Lower-case hex.
std::string sha256_of(std::span<const std::byte> bytes);

}   // namespace millstream
