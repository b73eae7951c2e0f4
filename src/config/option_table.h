// Every option of a job once: its name outside C++, what it takes, and how its text becomes a value and back.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "millstream/options.h"

namespace millstream {

/// One field of Options (`pressure` is two). `input` and `output` are no options here: every caller has places of its
/// own for them.
struct OptionEntry {
    std::string_view name;     ///< the field's own: keyword of Python, key of configuration files
    std::string_view flag;     ///< on the command line
    std::string_view values;   ///< what it takes, in words
    void (*set)(Options& options, std::string_view text);
    std::string (*text)(const Options& options);   ///< empty = absent
};

/// In the order of the struct.
std::span<const OptionEntry> option_table();

/// Throws Error(usage) naming the option and, where one is near, what was meant.
const OptionEntry& find_option(std::string_view name);

/// Sets one option from its text. Throws Error(usage) naming option, text and what would be right.
void set_option(Options& options, std::string_view name, std::string_view text);

}   // namespace millstream
