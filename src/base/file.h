// Files that a crash must not hurt: written at offsets, synced, renamed into place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace millstream {

/// The system calls that everything durable goes through, as POSIX has them: -1 and errno on failure, short writes,
/// EINTR. Tests give their own, which record the calls or make them fail; the loops around them are the production's.
/// Thread-safe as the calls are.
class FileCalls {
public:
    FileCalls() = default;
    FileCalls(const FileCalls&) = delete;
    FileCalls& operator=(const FileCalls&) = delete;
    virtual ~FileCalls() = default;

    virtual int open(const char* path, int flags, mode_t mode);
    virtual int close(int file);
    virtual ssize_t read_at(int file, void* bytes, std::size_t count, off_t offset);
    virtual ssize_t write_at(int file, const void* bytes, std::size_t count, off_t offset);
    virtual int resize(int file, off_t size);
    virtual int sync_data(int file);   ///< fdatasync
    virtual int sync(int file);        ///< fsync; also of folders
    virtual int rename(const char* from, const char* to);
    virtual int remove(const char* path);
};

/// Those of the system itself.
FileCalls& system_files();

/// An open file. One thread at a time. Failing writes throw Error(resource) that says whether the disk is full.
class File {
public:
    enum class Open {
        existing,            ///< for reading and writing
        existing_or_empty,   ///< created empty where it is missing
    };
    /// Throws Error(refused) when it cannot be opened; Error(resource) where the disk is full or fails, or too many
    /// files are open.
    File(FileCalls& calls, std::filesystem::path path, Open how);
    ~File();
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;

    /// Locks it for this process, until it is closed or the process ends, however it ends. False when another one holds
    /// it; true also where the file system knows no locks.
    bool lock();

    [[nodiscard]] std::uint64_t size() const;
    void write(std::uint64_t offset, std::span<const std::byte> bytes);
    /// All of `bytes`. Throws Error(resource) where the file ends before.
    void read(std::uint64_t offset, std::span<std::byte> bytes) const;
    void resize(std::uint64_t size);
    /// Until it returns a power failure may lose what was written.
    void sync();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] FileCalls& calls() const { return *calls_; }

private:
    FileCalls* calls_;
    std::filesystem::path path_;
    int file_ = -1;
};

/// What replace_file() writes first: `path` + ".tmp".
std::filesystem::path temporary_of(const std::filesystem::path& path);

/// Makes `path` hold `text`, or leaves it as it was: written beside it as temporary_of(path), synced, renamed.
void replace_file(FileCalls& calls, const std::filesystem::path& path, std::string_view text);

/// Renames and syncs the folder (where its file system can).
void rename_file(FileCalls& calls, const std::filesystem::path& from, const std::filesystem::path& to);

/// No error where there is none.
void remove_file(FileCalls& calls, const std::filesystem::path& path);

/// Its folder; "." for a bare name.
std::filesystem::path folder_of(const std::filesystem::path& file);

}   // namespace millstream
