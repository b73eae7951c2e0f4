// The latest value of something, from one writing thread to any number of readers, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace millstream {

/// A sequence lock: the writer never waits; a reader that meets the writer reads again. The value is kept in atomic
/// words, so that there is no data race even where a reader sees a mixture, which it then throws away.
/// (H.-J. Boehm, "Can seqlocks get along with programming language memory models?", 2012. All accesses are sequentially
/// consistent here: four samples a second are not worth weaker ones.)
template <class T>
class Published {
    static_assert(std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>);

public:
    Published() { set(T{}); }

    /// One thread only.
    void set(const T& value) {
        std::array<std::uint64_t, kWords> words{};
        std::memcpy(words.data(), &value, sizeof(T));
        version_.fetch_add(1);   // odd: being written
        for (std::size_t i = 0; i < kWords; ++i) {
            words_[i].store(words[i]);
        }
        version_.fetch_add(1);
    }

    [[nodiscard]] T get() const {
        std::array<std::uint64_t, kWords> words{};
        for (;;) {
            const std::uint64_t before = version_.load();
            for (std::size_t i = 0; i < kWords; ++i) {
                words[i] = words_[i].load();
            }
            if (before % 2 == 0 && version_.load() == before) {
                T value{};
                std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
                return value;
            }
        }
    }

private:
    static constexpr std::size_t kWords = (sizeof(T) + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
    std::atomic<std::uint64_t> version_{0};
    std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}   // namespace millstream
