// Frames, and what reads, enhances and writes them.
#pragma once

#include <nanobind/nanobind.h>

namespace millstream::python {

/// Adds Frame, Reader, Enhancer, Writer and the ways from arrays to Frame to `module`.
void add_frames(nanobind::module_& module);

}   // namespace millstream::python
