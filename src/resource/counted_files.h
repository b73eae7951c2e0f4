// System calls that are counted on their way: the program's own account of what it writes.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>

#include "base/file.h"
#include "resource/file_ledger.h"

namespace millstream {

/// Hands every call on to `inner` and tells `ledger` what was written to which file. Both must outlive it. Thread-safe
/// where `inner` is.
class CountedFiles : public FileCalls {
public:
    CountedFiles(FileCalls& inner, FileLedger& ledger) : inner_(inner), ledger_(ledger) {}

    int open(const char* path, int flags, mode_t mode) override;
    int close(int file) override;
    ssize_t read_at(int file, void* bytes, std::size_t count, off_t offset) override;
    ssize_t write_at(int file, const void* bytes, std::size_t count, off_t offset) override;
    int resize(int file, off_t size) override { return inner_.resize(file, size); }
    int sync_data(int file) override { return inner_.sync_data(file); }
    int sync(int file) override { return inner_.sync(file); }
    int rename(const char* from, const char* to) override { return inner_.rename(from, to); }
    int remove(const char* path) override { return inner_.remove(path); }

private:
    FileCalls& inner_;
    FileLedger& ledger_;
    std::mutex mutex_;
    std::map<int, std::filesystem::path> open_;   // protected by mutex_
};

}   // namespace millstream
