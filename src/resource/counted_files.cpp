#include "resource/counted_files.h"

#include <fcntl.h>

namespace millstream {

int CountedFiles::open(const char* path, int flags, mode_t mode) {
    const int file = inner_.open(path, flags, mode);
    if (file >= 0 && (flags & O_ACCMODE) != O_RDONLY) {
        const std::lock_guard lock(mutex_);
        open_[file] = path;
    }
    return file;
}

int CountedFiles::close(int file) {
    {
        const std::lock_guard lock(mutex_);
        open_.erase(file);   // before its number can be another file's
    }
    return inner_.close(file);
}

ssize_t CountedFiles::read_at(int file, void* bytes, std::size_t count, off_t offset) {
    return inner_.read_at(file, bytes, count, offset);
}

ssize_t CountedFiles::write_at(int file, const void* bytes, std::size_t count, off_t offset) {
    const ssize_t written = inner_.write_at(file, bytes, count, offset);
    if (written > 0) {
        const std::lock_guard lock(mutex_);
        if (const auto known = open_.find(file); known != open_.end()) {
            ledger_.count_written(known->second, static_cast<std::uint64_t>(written));
        }
    }
    return written;
}

}   // namespace millstream
