#include "resource/file_ledger.h"

#include <fcntl.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "base/bytes.h"
#include "millstream/error.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;

// Note [Disk traffic]
// The program's own account cannot show what a library writes behind its back; two views of the kernel can. The open
// files (/proc/self/fd, a few times a second) give names, but miss a file that is opened and closed in between. The
// counter write_bytes (/proc/self/io) misses nothing: it rises with every page of a file on a disk that the process
// makes dirty, by write() or through a mapping, and not with pipes, terminals and memory file systems. It counts whole
// pages, and a page again that has been written back in between (an appended one, a header that is patched): what may
// come from that is not called unexplained. Files in memory file systems are seen by name only.
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kLeastSlack = kMiB;
constexpr std::uint64_t kSlackDivisor = 32;

std::string absolute_name(const fs::path& path) {
    const fs::path whole = fs::absolute(path);   // first: what does not exist would stay relative
    std::error_code failed;
    const fs::path real = fs::weakly_canonical(whole, failed);
    return failed ? whole.string() : real.string();
}

// Regular files open for writing, by name. proc(5): fdinfo's flags are octal; a removed file's link ends in "
// (deleted)".
std::set<std::string> open_for_writing(const fs::path& root) {
    std::set<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(root / "proc/self/fd", none)) {
        const fs::path target = fs::read_symlink(entry.path(), none);
        const std::string name = target.string();
        if (name.empty() || name.front() != '/' || name.starts_with("/dev/") || name.starts_with("/proc/") ||
            name.starts_with("/memfd:") || name.starts_with("/sys/")) {
            continue;
        }
        std::ifstream info(root / "proc/self/fdinfo" / entry.path().filename());
        std::string key;
        std::string value;
        while (info >> key >> value) {
            if (key == "flags:" && (std::stoul(value, nullptr, 8) & O_ACCMODE) != O_RDONLY &&
                (fs::is_regular_file(entry.path(), none))) {
                names.insert(name);
            }
        }
    }
    return names;
}

}   // namespace

FileLedger::FileLedger(fs::path root)
    : root_(std::move(root)), at_start_(counters()), inherited_(open_for_writing(root_)) {}

void FileLedger::expect(const fs::path& path, const std::string& role, const fs::path& shown) {
    const std::lock_guard lock(mutex_);
    FileIo& file = files_[absolute_name(path)];
    file.path = shown.empty() ? path : shown;
    file.role = role;
}

void FileLedger::expect_replaced(const fs::path& path, const std::string& role) {
    expect(path, role);
    expect(path.string() + ".tmp", role, path);
}

void FileLedger::count_read(const fs::path& path, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    files_[absolute_name(path)].bytes_read = bytes;
}

void FileLedger::count_written(const fs::path& path, std::uint64_t bytes) {
    const std::string name = absolute_name(path);
    const std::lock_guard lock(mutex_);
    FileIo& file = files_[name];
    if (file.role.empty()) {
        file.path = path;
        file.role = "unexpected";
    }
    file.bytes_written += bytes;
}

void FileLedger::look() {
    for (const std::string& name : open_for_writing(root_)) {
        const std::lock_guard lock(mutex_);
        const auto known = files_.find(name);
        if (inherited_.contains(name) || (known != files_.end() && known->second.role != "unexpected")) {
            continue;
        }
        std::error_code gone;
        const std::uintmax_t size = fs::file_size(name, gone);
        files_[name] = {.path = name, .role = "unexpected", .bytes_read = 0, .bytes_written = gone ? 0 : size};
    }
}

std::vector<FileIo> FileLedger::files() const {
    const std::lock_guard lock(mutex_);
    std::vector<FileIo> touched;
    for (const auto& [name, file] : files_) {
        if (file.bytes_read == 0 && file.bytes_written == 0 && file.role != "unexpected") {
            continue;
        }
        const auto same = std::find_if(touched.begin(), touched.end(), [&shown = file](const FileIo& other) {
            return other.path == shown.path && other.role == shown.role;
        });
        if (same == touched.end()) {
            touched.push_back(file);
        } else {   // the one beside it, renamed
            same->bytes_read += file.bytes_read;
            same->bytes_written += file.bytes_written;
        }
    }
    return touched;
}

DiskTraffic FileLedger::traffic() const {
    const Counters now = counters();
    DiskTraffic traffic;
    traffic.read_bytes = now.any_read - at_start_.any_read;
    traffic.written_bytes = now.disk_written - at_start_.disk_written;
    const std::vector<FileIo> touched = files();
    for (const FileIo& file : touched) {
        traffic.accounted_bytes += file.role == "unexpected" ? 0 : file.bytes_written;
    }
    const std::uint64_t explained =
        traffic.accounted_bytes + traffic.accounted_bytes / kSlackDivisor + kLeastSlack + touched.size() * kPage;
    traffic.unexplained_bytes = traffic.written_bytes > explained ? traffic.written_bytes - traffic.accounted_bytes : 0;
    return traffic;
}

// proc(5): "rchar: 323934931", "write_bytes: 323932160".
FileLedger::Counters FileLedger::counters() const {
    Counters found;
    std::ifstream lines(root_ / "proc/self/io");
    std::string name;
    std::uint64_t value = 0;
    while (lines >> name >> value) {
        if (name == "rchar:") {
            found.any_read = value;
        } else if (name == "write_bytes:") {
            found.disk_written = value;
        }
    }
    return found;
}

void require_expected(const std::vector<FileIo>& files, const DiskTraffic& traffic) {
    const auto found =
        std::find_if(files.begin(), files.end(), [](const FileIo& file) { return file.role == "unexpected"; });
    if (found != files.end()) {
        throw Error(ErrorKind::difference, {"checking what was written", found->path.string(),
                                            "the process had this file open for writing, and nobody asked for it",
                                            "Without --strict-io it is listed in the report"});
    }
    if (traffic.unexplained_bytes > 0) {
        throw Error(ErrorKind::difference,
                    {"checking what was written", "",
                     format_bytes(traffic.written_bytes) + " went to the disk, but only " +
                         format_bytes(traffic.accounted_bytes) + " into files that were asked for",
                     "Without --strict-io it is told in the report"});
    }
}

}   // namespace millstream
