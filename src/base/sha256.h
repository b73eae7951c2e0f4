// SHA-256, by OpenSSL's libcrypto.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace millstream {

/// Of bytes that come piece by piece.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void add(std::span<const std::byte> bytes);
    /// Lower-case hex; once.
    std::string hex();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Lower-case hex.
std::string sha256_of(std::span<const std::byte> bytes);

}   // namespace millstream
