#include "errors.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <exception>

#include "millstream/error.h"

namespace nb = nanobind;

namespace millstream::python {
namespace {

void raise(const Error& error) {
    const Error::Context& context = error.context();
    const nb::object type = nb::module_::import_("millstream._errors").attr("Error");
    const nb::object raised =
        type(error.exit_code(), context.doing, context.subject, context.why, context.hint, error.what());
    PyErr_SetObject(type.ptr(), raised.ptr());
}

}   // namespace

void register_errors() {
    nb::register_exception_translator([](const std::exception_ptr& failure, void* /*payload*/) {
        try {
            std::rethrow_exception(failure);
        } catch (const Error& error) {
            raise(error);
        }
    });
}

}   // namespace millstream::python
