// A Python callable as a stage of the job.
#pragma once

#include <nanobind/nanobind.h>

#include "millstream/filter.h"

namespace millstream::python {

/// Calls `function(pixels)` with [n,3,h,w] float32 as a numpy array or Torch tensor over the batch's own memory. What
/// it returns takes the batch's place (converted where it is not contiguous float32 on the CPU, and fetched from a
/// device where Torch has it there); None keeps what the function has changed in place. Throws
/// nanobind::python_error. Made and destroyed with the interpreter lock held.
class PythonFilter : public FrameFilter {
public:
    PythonFilter(nanobind::object function, int batch_frames, bool torch);
    [[nodiscard]] int batch_frames() const override { return batch_frames_; }
    void process(FilterBatch& batch) override;

private:
    nanobind::object function_;
    int batch_frames_;
    bool torch_;
};

}   // namespace millstream::python
