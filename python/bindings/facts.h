// What probe() finds, as a Python dictionary.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

namespace millstream::python {

/// The fields of media's SourceInfo that are the same whoever asks. Throws Error(input).
nanobind::dict probe_facts(const std::string& path);

}   // namespace millstream::python
