#include "filter.h"

#include <nanobind/ndarray.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "array_owner.h"
#include "millstream/error.h"

namespace nb = nanobind;

namespace millstream::python {
namespace {

using Result = nb::ndarray<float, nb::ndim<4>, nb::c_contig, nb::device::cpu>;

nb::object pixels_of(const FilterBatch& batch, bool torch) {
    const std::initializer_list<std::size_t> shape{static_cast<std::size_t>(batch.frames), 3,
                                                   static_cast<std::size_t>(batch.height),
                                                   static_cast<std::size_t>(batch.width)};
    return torch ? nb::cast(nb::ndarray<nb::pytorch, float>(batch.data, shape, capsule_of(batch.owner)))
                 : nb::cast(nb::ndarray<nb::numpy, float>(batch.data, shape, capsule_of(batch.owner)));
}

bool has_shape_of(const Result& result, const FilterBatch& batch) {
    return result.shape(0) == static_cast<std::size_t>(batch.frames) && result.shape(1) == 3 &&
           result.shape(2) == static_cast<std::size_t>(batch.height) &&
           result.shape(3) == static_cast<std::size_t>(batch.width);
}

}   // namespace

PythonFilter::PythonFilter(nb::object function, int batch_frames, bool torch)
    : function_(std::move(function)), batch_frames_(batch_frames), torch_(torch) {}

void PythonFilter::process(FilterBatch& batch) {
    const nb::gil_scoped_acquire lock;
    nb::object given = function_(pixels_of(batch, torch_));
    if (given.is_none()) {
        return;
    }
    if (nb::hasattr(given, "detach") && nb::hasattr(given, "cpu")) {   // of Torch, from a device or with gradients
        given = given.attr("detach")().attr("cpu")();
    }
    Result result;
    if (!nb::try_cast(given, result) || !has_shape_of(result, batch)) {
        throw Error(ErrorKind::usage, {"running the caller's filter", nb::repr(nb::type_name(given.type())).c_str(),
                                       "it gave back something else than float32 pixels of the shape it was given",
                                       "Return an array or tensor of that shape, or None"});
    }
    batch.data = result.data();
    batch.owner = keep(std::move(result));
}

}   // namespace millstream::python
