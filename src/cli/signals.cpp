#include "cli/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "millstream/error.h"

namespace millstream {
namespace {

std::string name_of(std::uint32_t signal) {
    switch (signal) {
        case SIGINT:
            return "SIGINT";
        case SIGTERM:
            return "SIGTERM";
        default:
            return "SIGHUP";
    }
}

int checked(int result) {
    if (result < 0) {
        throw Error(ErrorKind::internal, {"watching for signals", "", std::generic_category().message(errno), ""});
    }
    return result;
}

}   // namespace

StopOnSignals::StopOnSignals(std::function<void(const std::string&)> on_first) : on_first_(std::move(on_first)) {
    // An ignored signal must stay out of the set: once blocked it is queued and would arrive here all the same.
    sigset_t watched;
    sigemptyset(&watched);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction now {};
        if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) {
            sigaddset(&watched, signal);
        }
    }
    pthread_sigmask(SIG_BLOCK, &watched, &previous_mask_);
    signals_ = checked(signalfd(-1, &watched, SFD_CLOEXEC));
    end_ = checked(eventfd(0, EFD_CLOEXEC));
    watcher_ = std::make_unique<NamedThread>("signals", [this] { watch(); });
}

StopOnSignals::~StopOnSignals() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(end_, &one, sizeof one);
    watcher_.reset();   // joins
    close(signals_);
    close(end_);
    pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

void StopOnSignals::watch() {
    while (true) {
        std::array<pollfd, 2> files = {{{end_, POLLIN, 0}, {signals_, POLLIN, 0}}};
        if (poll(files.data(), files.size(), -1) < 0) {
            continue;   // EINTR
        }
        if (files[0].revents != 0) {
            return;
        }
        signalfd_siginfo info{};
        if (read(signals_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
            continue;
        }
        if (stop_.stop_requested()) {
            _exit(static_cast<int>(ErrorKind::interrupted));   // no clean-up: the user has asked twice
        }
        stop_.request_stop();
        on_first_(name_of(info.ssi_signo));
    }
}

}   // namespace millstream
