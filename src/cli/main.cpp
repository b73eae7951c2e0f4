#include <csignal>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "resource/allocator.h"

int main(int argc, char** argv) {
    // A reader of our progress that goes away must not end the job: writing then fails and is ignored.
    std::signal(SIGPIPE, SIG_IGN);
    millstream::bound_allocator();
    millstream::ProcessConsole console;
    return millstream::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), console);
}
