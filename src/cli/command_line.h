// argv -> what to do, as a value. Reads no file and prints nothing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "millstream/config.h"
#include "millstream/options.h"
#include "millstream/verify.h"

namespace millstream {

enum class Verb {
    print,
    enhance,
    inspect,
    verify,
    clean,
    list_models,
    describe_model,
    fetch_models,
    doctor,
    explain_config,
    show_config
};

/// How progress is shown. `automatic`: a bar on a terminal, else a line every five seconds.
enum class ProgressMode { automatic, bar, lines, json, none };

enum class Verbosity { quiet, normal, verbose };

struct CommandLine {
    Verb verb = Verb::print;
    std::string text;   ///< print: help or version, to be shown as it is
    Options options;    ///< enhance, inspect: as the command line alone has it; input is the first one
    std::vector<std::filesystem::path> inputs;   ///< enhance: all of them
    bool fail_fast = false;                      ///< enhance, several inputs: the first failure ends it
    ConfigLayers layers;   ///< enhance, inspect, show_config: the same words as `caller`, over what --config says
    VerifyOptions verify_options;   ///< verify
    ProgressMode progress = ProgressMode::automatic;
    Verbosity verbosity = Verbosity::normal;
    bool json = false;         ///< inspect, verify, models list, models info
    std::string model_name;    ///< describe_model
    std::string config_file;   ///< explain_config
};

/// `arguments` without the program's name. Throws Error(usage) with a sentence for every mistake.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

/// "millstream 0.1.0".
std::string version_text();

}   // namespace millstream
