// Where a muxer writes: not to a file, but to whoever decides what becomes of the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "media/av.h"

namespace millstream {

/// Takes bytes at positions, which start at 0 and may go back.
class OutputTarget {
public:
    OutputTarget() = default;
    OutputTarget(const OutputTarget&) = delete;
    OutputTarget& operator=(const OutputTarget&) = delete;
    virtual ~OutputTarget() = default;
    /// An exception reaches the muxer as "no memory": nothing else can be meant.
    virtual void write(std::uint64_t position, std::span<const std::byte> bytes) = 0;
    /// End of what has been written.
    [[nodiscard]] virtual std::uint64_t end() const = 0;
};

/// Keeps what is written until it is taken. What comes for a place that has been taken is dropped: containers that grow
/// by appending are finished from the file, not by their muxer (Note [Finishing in place]).
class OutputBuffer : public OutputTarget {
public:
    void write(std::uint64_t position, std::span<const std::byte> bytes) override;
    [[nodiscard]] std::uint64_t end() const override { return begin_ + bytes_.size(); }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    std::vector<std::byte> take();

private:
    std::uint64_t begin_ = 0;
    std::vector<std::byte> bytes_;
};

/// An AVIOContext in front of a target, which must outlive it.
class OutputIo {
public:
    explicit OutputIo(OutputTarget& target);
    [[nodiscard]] AVIOContext* context() const { return io_.get(); }

private:
    struct Free {
        void operator()(AVIOContext* io) const noexcept;
    };
    struct Cursor {
        OutputTarget* target;
        std::uint64_t position = 0;
    };
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    static int write(void* cursor, const std::uint8_t* bytes, int count);
#else
    static int write(void* cursor, std::uint8_t* bytes, int count);
#endif
    static std::int64_t seek(void* cursor, std::int64_t offset, int whence);

    std::unique_ptr<Cursor> cursor_;
    std::unique_ptr<AVIOContext, Free> io_;
};

}   // namespace millstream
