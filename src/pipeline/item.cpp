#include "pipeline/item.h"

namespace millstream {
namespace {

std::size_t tensor_bytes(const at::Tensor& tensor) {
    return tensor.defined() ? tensor.nbytes() : 0;
}
std::size_t picture_bytes(const Picture& picture) {
    return picture.owner ? picture.bytes() : 0;
}

}   // namespace

void LiveFrames::enter() {
    const std::int64_t live = now_.fetch_add(1) + 1;
    std::int64_t peak = peak_.load();
    while (peak < live && !peak_.compare_exchange_weak(peak, live)) {
    }
}

std::size_t Frame::bytes() const {
    return picture_bytes(source) + picture_bytes(alpha) + tensor_bytes(input) + motion.bytes() + tensor_bytes(output) +
           picture_bytes(result);
}

std::size_t item_bytes(const Item& item) {
    const auto* frame = std::get_if<Frame>(&item);
    return frame == nullptr ? 0 : frame->bytes();
}

}   // namespace millstream
