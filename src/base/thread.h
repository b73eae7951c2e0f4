// A thread with a name and an owner.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace millstream {

/// Starts `body` at once; the destructor joins. `name` (15 characters at most on Linux) shows in debuggers and top.
/// `body` must not throw: whoever starts a thread decides where its failure goes.
class NamedThread {
public:
    NamedThread(std::string name, std::function<void()> body);

private:
    std::jthread thread_;
};

}   // namespace millstream
