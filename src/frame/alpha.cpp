#include "frame/alpha.h"

#include "frame/zimg_format.h"
#include "frame/zimg_graph.h"
#include "millstream/error.h"

namespace millstream {
namespace {

// Size and depth: what an alpha plane is, whatever the colours beside it.
struct Coverage {
    int width;
    int height;
    int depth;
    friend bool operator==(const Coverage&, const Coverage&) = default;
};

Coverage coverage(const Picture& picture) {
    return {picture.width, picture.height, picture.format.depth};
}

zimg_image_format zimg_gray(const Coverage& plane) {
    const PixelFormat gray{
        .family = ColourFamily::gray, .depth = plane.depth, .chroma_shift_x = 0, .chroma_shift_y = 0};
    constexpr int kAnyMatrix = 1;   // zimg wants one to be named, though gray has none
    return zimg_picture_format(gray, Colour{.matrix = kAnyMatrix, .full_range = true}, plane.width, plane.height);
}

template <class Byte>
std::array<PlaneView<Byte>, 3> view(const Plane& plane, const Coverage& shape) {
    std::array<PlaneView<Byte>, 3> planes;
    planes[0] = {plane.data, plane.stride, shape.width, shape.height};
    return planes;
}

}   // namespace

struct AlphaScaler::State {
    Coverage source;
    Coverage target;
    ZimgGraph graph;
};

AlphaScaler::AlphaScaler(const Picture& source, const Picture& target)
    : state_(new State{coverage(source),
                       coverage(target),
                       {zimg_gray(coverage(source)), zimg_gray(coverage(target)), zimg_parameters()}}) {}
AlphaScaler::~AlphaScaler() = default;
AlphaScaler::AlphaScaler(AlphaScaler&&) noexcept = default;
AlphaScaler& AlphaScaler::operator=(AlphaScaler&&) noexcept = default;

void AlphaScaler::convert(const Picture& source, Picture& target) {
    if (coverage(source) != state_->source || coverage(target) != state_->target || !target.format.alpha) {
        throw Error(ErrorKind::internal, {"scaling an alpha plane", "", "the pictures have another shape", ""});
    }
    const auto plane = static_cast<std::size_t>(target.format.colour_planes());
    state_->graph.process(view<const std::byte>(source.planes[0], state_->source),
                          view<std::byte>(target.planes.at(plane), state_->target));
}

}   // namespace millstream
