#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "millstream/error.h"

namespace millstream {
namespace {

constexpr mode_t kMode = 0666;   // less the umask, as for any file

[[noreturn]] void fail(const char* doing, const std::filesystem::path& path, int code) {
    const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    throw Error(ErrorKind::resource,
                {doing, path.string(), std::generic_category().message(code),
                 full ? "Free some space there, or write the output to another disk" : "Check the disk"});
}

// What a machine runs out of, or a disk that fails: no word about the path.
bool is_of_the_machine(int code) {
    return code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE || code == ENOMEM || code == EROFS ||
           code == EIO;
}

// Runs a call again that a signal has interrupted.
template <class Call>
auto uninterrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) {
        result = call();
    }
    return result;
}

// Some file systems (network ones, FUSE) cannot sync a folder: then the rename is as durable as they make it.
void sync_folder(FileCalls& calls, const std::filesystem::path& folder) {
    const int file = calls.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (file < 0) {
        return;
    }
    const int synced = uninterrupted([&] { return calls.sync(file); });
    const int code = errno;
    calls.close(file);
    if (synced < 0 && code == EIO) {
        fail("making a rename durable", folder, code);
    }
}

}   // namespace

int FileCalls::open(const char* path, int flags, mode_t mode) {
    return ::open(path, flags, mode);
}
int FileCalls::close(int file) {
    return ::close(file);
}
ssize_t FileCalls::read_at(int file, void* bytes, std::size_t count, off_t offset) {
    return ::pread(file, bytes, count, offset);
}
ssize_t FileCalls::write_at(int file, const void* bytes, std::size_t count, off_t offset) {
    return ::pwrite(file, bytes, count, offset);
}
int FileCalls::resize(int file, off_t size) {
    return ::ftruncate(file, size);
}
int FileCalls::sync_data(int file) {
    return ::fdatasync(file);
}
int FileCalls::sync(int file) {
    return ::fsync(file);
}
int FileCalls::rename(const char* from, const char* to) {
    return std::rename(from, to);
}
int FileCalls::remove(const char* path) {
    return ::unlink(path);
}

FileCalls& system_files() {
    static FileCalls calls;   // has no state
    return calls;
}

File::File(FileCalls& calls, std::filesystem::path path, Open how) : calls_(&calls), path_(std::move(path)) {
    const int flags = O_RDWR | O_CLOEXEC | (how == Open::existing_or_empty ? O_CREAT : 0);
    file_ = uninterrupted([&] { return calls.open(path_.c_str(), flags, kMode); });
    if (file_ < 0) {
        if (is_of_the_machine(errno)) {
            fail("opening the output", path_, errno);
        }
        throw Error(ErrorKind::refused, {"opening the output", path_.string(), std::generic_category().message(errno),
                                         "Check that its folder exists and can be written to"});
    }
}

File::~File() {
    if (file_ >= 0) {
        calls_->close(file_);
    }
}

File::File(File&& other) noexcept
    : calls_(other.calls_), path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}

File& File::operator=(File&& other) noexcept {
    std::swap(calls_, other.calls_);
    std::swap(path_, other.path_);
    std::swap(file_, other.file_);
    return *this;
}

bool File::lock() {
    const int locked = uninterrupted([&] { return ::flock(file_, LOCK_EX | LOCK_NB); });
    return locked == 0 || errno != EWOULDBLOCK;
}

std::uint64_t File::size() const {
    struct stat status {};
    if (fstat(file_, &status) != 0) {
        fail("asking for the size of a file", path_, errno);
    }
    return static_cast<std::uint64_t>(status.st_size);
}

void File::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = uninterrupted(
            [&] { return calls_->write_at(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
        if (written <= 0) {
            fail("writing the output", path_, written < 0 ? errno : EIO);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
}

void File::read(std::uint64_t offset, std::span<std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t got = uninterrupted(
            [&] { return calls_->read_at(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
        if (got <= 0) {
            fail("reading the output back", path_, got < 0 ? errno : EIO);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
}

void File::resize(std::uint64_t size) {
    if (uninterrupted([&] { return calls_->resize(file_, static_cast<off_t>(size)); }) != 0) {
        fail("cutting the output", path_, errno);
    }
}

void File::sync() {
    if (uninterrupted([&] { return calls_->sync_data(file_); }) != 0) {
        fail("bringing the output to the disk", path_, errno);
    }
}

std::filesystem::path temporary_of(const std::filesystem::path& path) {
    return path.string() + ".tmp";
}

void replace_file(FileCalls& calls, const std::filesystem::path& path, std::string_view text) {
    const std::filesystem::path temporary = temporary_of(path);
    try {
        File file(calls, temporary, File::Open::existing_or_empty);
        file.resize(0);
        file.write(0, std::as_bytes(std::span(text)));
        file.sync();
    } catch (...) {
        calls.remove(temporary.c_str());
        throw;
    }
    rename_file(calls, temporary, path);
}

void rename_file(FileCalls& calls, const std::filesystem::path& from, const std::filesystem::path& to) {
    if (uninterrupted([&] { return calls.rename(from.c_str(), to.c_str()); }) != 0) {
        fail("renaming the output", to, errno);
    }
    sync_folder(calls, folder_of(to));
}

void remove_file(FileCalls& calls, const std::filesystem::path& path) {
    if (uninterrupted([&] { return calls.remove(path.c_str()); }) != 0 && errno != ENOENT) {
        fail("removing a file", path, errno);
    }
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
    const auto parent = file.parent_path();
    return parent.empty() ? std::filesystem::path(".") : parent;
}

}   // namespace millstream
