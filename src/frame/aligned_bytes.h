// Memory that zimg and the networks may read with the widest vector loads.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace millstream {

inline constexpr std::size_t kVectorAlignment = 64;

struct AlignedDelete {
    void operator()(std::byte* memory) const noexcept {
        ::operator delete[](memory, std::align_val_t{kVectorAlignment});
    }
};

/// Uninitialised bytes whose address is a multiple of kVectorAlignment.
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

inline AlignedBytes allocate_aligned(std::size_t bytes) {
    return AlignedBytes(new (std::align_val_t{kVectorAlignment}) std::byte[bytes]);
}

constexpr std::size_t round_up_to_alignment(std::size_t bytes) {
    return (bytes + kVectorAlignment - 1) / kVectorAlignment * kVectorAlignment;
}

}   // namespace millstream
