// Failures on their way from C++ to Python and from Python through C++.
#pragma once

namespace millstream::python {

/// From now on every millstream::Error that reaches Python is a millstream.Error with the same parts.
void register_errors();

}   // namespace millstream::python
