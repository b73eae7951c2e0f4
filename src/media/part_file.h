// The output while it grows. What is behind its last commit is worth nothing, and is cut off by the run that goes on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/file.h"

namespace millstream {

/// Appends to one file, held locked against other runs of the program. One thread at a time.
class PartFile {
public:
    /// `bytes`: how much of what is there is kept, once cut() is called. Throws Error(refused) when it cannot be opened,
    /// when another run holds it, or when it is shorter than that.
    PartFile(FileCalls& calls, const std::filesystem::path& path, std::uint64_t bytes);

    /// Throw Error(resource) where the disk is full or fails; what is committed stays as it is.
    void append(std::span<const std::byte> bytes);
    void skip(std::uint64_t bytes) { end_ += bytes; }   ///< a hole, which takes no space
    /// Everything so far is on the disk when it returns.
    void commit();
    void cut(std::uint64_t bytes);   ///< to its first `bytes`

    [[nodiscard]] std::uint64_t end() const { return end_; }
    [[nodiscard]] File& file() { return file_; }
    [[nodiscard]] const File& file() const { return file_; }
    [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

private:
    File file_;
    std::uint64_t end_;
};

}   // namespace millstream
