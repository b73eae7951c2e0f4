// millstream._core. Its types and texts are for the package around it; python/millstream/_core.pyi lists them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "calls.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "config/option_table.h"
#include "configuration.h"
#include "errors.h"
#include "facts.h"
#include "frames.h"
#include "millstream/config.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace millstream::python {
namespace {

nb::list options() {
    nb::list entries;
    for (const OptionEntry& entry : option_table()) {
        entries.append(nb::make_tuple(std::string(entry.name), std::string(entry.flag), std::string(entry.values)));
    }
    return entries;
}

int run_program(const std::vector<std::string>& arguments) {
    const nb::gil_scoped_release released;
    ProcessConsole console;
    return run_command_line(arguments, console);
}

NB_MODULE(_core, module) {
    register_errors();
    module.attr("VERSION") = MILLSTREAM_VERSION;
    add_frames(module);
    module.def("options", &options);
    module.def("preset_names", &preset_names);
    module.def("read_configuration", &read_configuration_call, "file"_a, "text"_a, "quality"_a);
    module.def("resolve", &resolve_call, "preset"_a, "file"_a, "text"_a, "quality"_a, "settings"_a);
    module.def("run_program", &run_program, "arguments"_a);
    module.def("probe", &probe_facts, "path"_a);
    module.def("plan", &plan_call, "input"_a, "output"_a, "settings"_a);
    module.def(
        "enhance",
        [](const std::string& input, const std::string& output, const Settings& settings, nb::object plan,
           nb::object progress, nb::object message, nb::object filter, int filter_batch, bool filter_torch) {
            return enhance_call(input, output, settings,
                                {std::move(plan), std::move(progress), std::move(message), std::move(filter),
                                 filter_batch, filter_torch});
        },
        "input"_a, "output"_a, "settings"_a, "plan"_a.none(), "progress"_a.none(), "message"_a.none(),
        "filter"_a.none() = nb::none(), "filter_batch"_a = 1, "filter_torch"_a = true);
    module.def(
        "enhance_all",
        [](const std::vector<std::string>& inputs, const std::string& folder, const Settings& settings, bool fail_fast,
           nb::object begin, nb::object plan, nb::object progress, nb::object message) {
            Callbacks callbacks{std::move(plan), std::move(progress), std::move(message)};
            callbacks.begin = std::move(begin);
            return enhance_all_call(inputs, folder, settings, fail_fast, callbacks);
        },
        "inputs"_a, "folder"_a, "settings"_a, "fail_fast"_a, "begin"_a.none(), "plan"_a.none(), "progress"_a.none(),
        "message"_a.none());
    module.def(
        "verify",
        [](const std::string& input, const std::string& output, const nb::dict& options, nb::object progress) {
            return verify_call(input, output, options, {nb::none(), std::move(progress), nb::none()});
        },
        "input"_a, "output"_a, "options"_a, "progress"_a.none());
}

}   // namespace
}   // namespace millstream::python
