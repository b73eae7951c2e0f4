#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace millstream {
namespace {

void write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}   // namespace

void ProcessConsole::out(std::string_view text) {
    const std::lock_guard lock(mutex_);
    write_all(STDOUT_FILENO, text);
}

void ProcessConsole::err(std::string_view text) {
    const std::lock_guard lock(mutex_);
    write_all(STDERR_FILENO, text);
}

bool ProcessConsole::err_is_terminal() const {
    return isatty(STDERR_FILENO) != 0 && environment("TERM") != "dumb";
}

int ProcessConsole::err_width() const {
    winsize size{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

// https://no-color.org: present and not empty.
bool ProcessConsole::colour() const {
    return err_is_terminal() && environment("NO_COLOR").empty();
}

}   // namespace millstream
