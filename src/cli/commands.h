// Does what a command line asks for.
#pragma once

#include <string>
#include <vector>

#include "cli/console.h"

namespace millstream {

/// Parses, runs and reports; returns the exit code. Throws nothing. `arguments` without the program's name.
int run_command_line(const std::vector<std::string>& arguments, Console& console) noexcept;

}   // namespace millstream
