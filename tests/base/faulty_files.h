// System calls that fail on purpose, and that note what they were asked for.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"

namespace millstream::testing {

/// What changes a file system: everything that a crash may come between.
struct FileChange {
    enum class Kind { create, write, resize, sync, rename, remove };
    Kind kind = Kind::write;
    std::string path;               ///< of a sync of a folder: the folder
    std::string to;                 ///< rename
    std::uint64_t offset = 0;       ///< write; resize: the new size
    std::vector<std::byte> bytes;   ///< write
};

/// Makes the calls of the system, unless `before` says otherwise: an errno it returns fails the call, 0 lets it happen.
/// Of a write that it lets happen `at_most` bytes are written.
class WatchedFiles : public FileCalls {
public:
    std::function<int(const FileChange&)> before = [](const FileChange&) { return 0; };
    std::function<std::size_t(const FileChange&)> at_most = [](const FileChange& change) {
        return change.bytes.size();
    };

    int open(const char* path, int flags, mode_t mode) override {
        FileChange change{FileChange::Kind::create, path, {}, 0, {}};
        const bool creates = !std::filesystem::exists(path);
        if (creates && refuse(change)) {
            return -1;
        }
        const int file = FileCalls::open(path, flags, mode);
        names_[file] = path;
        return file;
    }
    int close(int file) override {
        names_.erase(file);
        return FileCalls::close(file);
    }
    ssize_t write_at(int file, const void* bytes, std::size_t count, off_t offset) override {
        const auto* first = static_cast<const std::byte*>(bytes);
        const FileChange change{FileChange::Kind::write,
                                names_[file],
                                {},
                                static_cast<std::uint64_t>(offset),
                                std::vector<std::byte>(first, first + count)};
        return refuse(change) ? -1 : FileCalls::write_at(file, bytes, std::min(count, at_most(change)), offset);
    }
    int resize(int file, off_t size) override {
        const FileChange change{FileChange::Kind::resize, names_[file], {}, static_cast<std::uint64_t>(size), {}};
        return refuse(change) ? -1 : FileCalls::resize(file, size);
    }
    int sync_data(int file) override { return refuse_sync(file) ? -1 : FileCalls::sync_data(file); }
    int sync(int file) override { return refuse_sync(file) ? -1 : FileCalls::sync(file); }
    int rename(const char* from, const char* to) override {
        return refuse({FileChange::Kind::rename, from, to, 0, {}}) ? -1 : FileCalls::rename(from, to);
    }
    int remove(const char* path) override {
        return refuse({FileChange::Kind::remove, path, {}, 0, {}}) ? -1 : FileCalls::remove(path);
    }

private:
    bool refuse(const FileChange& change) {
        const int code = before(change);
        errno = code;
        return code != 0;
    }
    bool refuse_sync(int file) { return refuse({FileChange::Kind::sync, names_[file], {}, 0, {}}); }

    std::map<int, std::string> names_;
};

}   // namespace millstream::testing
