#include "model/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "millstream/error.h"

namespace millstream {

std::string sha256_of(std::span<const std::byte> bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw Error(ErrorKind::internal, {"computing a SHA-256", {}, "OpenSSL refuses", {}});
    }
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

}   // namespace millstream
