// Ctrl-C and its like as a stop request.
#pragma once

#include <csignal>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/thread.h"

namespace millstream {

/// While it lives, the first SIGINT, SIGTERM or SIGHUP requests a stop and calls `on_first` with the signal's name,
/// from a thread of its own; the second ends the process at once with exit code 130. Signals that were ignored at the
/// start (nohup) stay ignored. Make it before other threads are started: they inherit the blocked signals.
class StopOnSignals {
public:
    explicit StopOnSignals(std::function<void(const std::string& signal)> on_first);
    ~StopOnSignals();
    StopOnSignals(const StopOnSignals&) = delete;
    StopOnSignals& operator=(const StopOnSignals&) = delete;

    [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

private:
    void watch();

    std::function<void(const std::string&)> on_first_;
    std::stop_source stop_;
    sigset_t previous_mask_{};
    int signals_ = -1;   // signalfd: signals arrive as data, no handler runs
    int end_ = -1;       // eventfd: the destructor's word to the thread
    std::unique_ptr<NamedThread> watcher_;
};

}   // namespace millstream
