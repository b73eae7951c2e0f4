#include "pipeline/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "millstream/error.h"

namespace millstream {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::filesystem::path& beside, int code) {
    std::error_code ignored;
    std::filesystem::remove(beside, ignored);
    throw Error(ErrorKind::resource, {"writing a file", path.string(), std::generic_category().message(code),
                                      code == ENOSPC ? "Free some space there" : ""});
}

}   // namespace

void write_whole_file(const std::filesystem::path& path, std::string_view text) {
    const std::filesystem::path beside = path.string() + ".tmp";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) {
        fail(path, beside, errno);
    }
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            const int code = errno;
            ::close(file);
            fail(path, beside, code);
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    const int synced = ::fsync(file);
    const int code = errno;
    if (::close(file) != 0 || synced != 0) {
        fail(path, beside, synced != 0 ? code : errno);
    }
    if (::rename(beside.c_str(), path.c_str()) != 0) {
        fail(path, beside, errno);
    }
}

}   // namespace millstream
