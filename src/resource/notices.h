// What threads of a run have to tell its user, kept until the thread that may call the Observer comes by.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "millstream/observer.h"

namespace millstream {

struct Notice {
    Severity severity = Severity::info;
    std::string text;
};

/// Thread-safe.
class Notices {
public:
    void post(Severity severity, std::string text) {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({severity, std::move(text)});
    }
    /// In the order they were posted; each is handed out once.
    std::vector<Notice> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(waiting_, {});
    }

private:
    std::mutex mutex_;
    std::vector<Notice> waiting_;   // protected by mutex_
};

}   // namespace millstream
