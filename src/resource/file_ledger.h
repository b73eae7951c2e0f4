// Every file the process has open for writing, and what went through it: the proof that only video is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "millstream/resources.h"

namespace millstream {

/// Two sources that check each other: what the program says it opens and writes (expect, count), and what the kernel
/// shows of it (look, traffic). Note [Disk traffic]. Thread-safe.
class FileLedger {
public:
    /// Files that are open for writing now belong to whoever started the process: they are not looked at. `root`: where
    /// /proc is looked for.
    explicit FileLedger(std::filesystem::path root = "/");

    /// A file that may be opened, and what for. `shown`: what it is called in the list; empty = `path`.
    void expect(const std::filesystem::path& path, const std::string& role, const std::filesystem::path& shown = {});
    /// A file that is written under `path` + ".tmp" and renamed: base/file.h, replace_file().
    void expect_replaced(const std::filesystem::path& path, const std::string& role);
    /// Sets what has been read of an expected file so far.
    void count_read(const std::filesystem::path& path, std::uint64_t bytes);
    /// Adds what has been written to a file, expected or not.
    void count_written(const std::filesystem::path& path, std::uint64_t bytes);
    /// Looks at what is open for writing right now; what nobody expects is remembered as unexpected.
    void look();

    /// Expected files that were touched, and unexpected ones.
    [[nodiscard]] std::vector<FileIo> files() const;
    [[nodiscard]] DiskTraffic traffic() const;

private:
    struct Counters {
        std::uint64_t any_read = 0;   ///< rchar
        std::uint64_t disk_written = 0;
    };
    [[nodiscard]] Counters counters() const;

    std::filesystem::path root_;
    Counters at_start_;
    std::set<std::string> inherited_;
    mutable std::mutex mutex_;
    // protected by mutex_
    std::map<std::string, FileIo> files_;
};

/// Error(difference) that names what is unexpected, if anything is.
void require_expected(const std::vector<FileIo>& files, const DiskTraffic& traffic);

}   // namespace millstream
