// Memory shared between arrays of Python and shared pointers of C++.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <utility>

namespace millstream::python {

/// Memory of C++ as the owner of an array.
inline nanobind::capsule capsule_of(const std::shared_ptr<void>& owner) {
    auto share = std::make_unique<std::shared_ptr<void>>(owner);
    nanobind::capsule capsule(share.get(),
                              [](void* held) noexcept { delete static_cast<std::shared_ptr<void>*>(held); });
    share.release();
    return capsule;
}

/// An array of Python as the owner of memory; given back on whatever thread lets go of it last.
template <class Array>
std::shared_ptr<void> keep(Array array) {
    return {new Array(std::move(array)), [](void* held) {
                const nanobind::gil_scoped_acquire lock;
                delete static_cast<Array*>(held);
            }};
}

}   // namespace millstream::python
