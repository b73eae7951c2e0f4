#include "temporal/triplets.h"

#include <utility>

#include "millstream/error.h"

namespace millstream {

std::optional<Triplet> TripletWindow::push(at::Tensor frame, bool starts_scene) {
    const bool has_current = !window_.empty();
    const std::size_t bytes = frame.nbytes();
    window_.push({std::move(frame), starts_scene}, bytes);
    if (window_.size() < (has_current ? 2U : 1U)) {
        throw Error(ErrorKind::resource,
                    {"keeping neighbouring frames", "",
                     "two frames of " + std::to_string(bytes) + " bytes do not fit the window", "Give it more memory"});
    }
    if (!has_current) {
        return std::nullopt;
    }
    const at::Tensor& current = window_.at(1).frame;
    return Triplet{previous_of(1), current, starts_scene ? current : window_.at(0).frame};
}

std::optional<Triplet> TripletWindow::finish() {
    if (window_.empty()) {
        return std::nullopt;
    }
    const at::Tensor& current = window_.at(0).frame;
    Triplet last{previous_of(0), current, current};
    window_.clear();
    return last;
}

const at::Tensor& TripletWindow::previous_of(std::size_t age) const {
    const Entry& current = window_.at(age);
    return current.starts_scene || age + 1 >= window_.size() ? current.frame : window_.at(age + 1).frame;
}

}   // namespace millstream
