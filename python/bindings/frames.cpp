#include "frames.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <string>

#include "array_owner.h"
#include "calls.h"
#include "millstream/error.h"
#include "millstream/frames.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace millstream::python {
namespace {

using PackedArray = nb::ndarray<std::uint8_t, nb::shape<-1, -1, 3>, nb::device::cpu>;
using PlanarArray = nb::ndarray<float, nb::shape<3, -1, -1>, nb::device::cpu>;

ChannelOrder order_of(const std::string& layout) {
    if (layout != "bgr" && layout != "rgb") {
        throw Error(ErrorKind::usage, {"taking a frame's pixels", layout, "it takes one of bgr, rgb, float", ""});
    }
    return layout == "bgr" ? ChannelOrder::bgr : ChannelOrder::rgb;
}

nb::object numpy_of(const VideoFrame& frame, const std::string& layout) {
    if (layout == "float") {
        PlanarPixels pixels;
        {
            const nb::gil_scoped_release released;
            pixels = frame.planar();
        }
        return nb::cast(nb::ndarray<nb::numpy, float>(
            pixels.data, {static_cast<std::size_t>(pixels.height), static_cast<std::size_t>(pixels.width), 3},
            capsule_of(pixels.owner), {pixels.row, 1, pixels.plane}));
    }
    const ChannelOrder order = order_of(layout);
    PackedPixels pixels;
    {
        const nb::gil_scoped_release released;
        pixels = frame.packed(order);
    }
    return nb::cast(nb::ndarray<nb::numpy, std::uint8_t>(
        pixels.data, {static_cast<std::size_t>(pixels.height), static_cast<std::size_t>(pixels.width), 3},
        capsule_of(pixels.owner), {pixels.row, 3, 1}));
}

nb::object torch_of(const VideoFrame& frame) {
    PlanarPixels pixels;
    {
        const nb::gil_scoped_release released;
        pixels = frame.planar();
    }
    return nb::cast(nb::ndarray<nb::pytorch, float>(
        pixels.data, {3, static_cast<std::size_t>(pixels.height), static_cast<std::size_t>(pixels.width)},
        capsule_of(pixels.owner), {pixels.plane, pixels.row, 1}));
}

[[noreturn]] void refuse_strides() {
    throw Error(ErrorKind::usage, {"taking an array as a frame", "", "the pixels of a row do not lie side by side",
                                   "Pass a contiguous array: numpy.ascontiguousarray, tensor.contiguous()"});
}

VideoFrame frame_of_packed(PackedArray array, const std::string& layout) {
    if (array.stride(2) != 1 || array.stride(1) != 3) {
        refuse_strides();
    }
    PackedPixels pixels;
    pixels.data = array.data();
    pixels.height = static_cast<int>(array.shape(0));
    pixels.width = static_cast<int>(array.shape(1));
    pixels.row = array.stride(0);
    pixels.order = order_of(layout);
    pixels.owner = keep(std::move(array));
    return VideoFrame(std::move(pixels));
}

VideoFrame frame_of_planar(PlanarArray array) {
    if (array.stride(2) != 1) {
        refuse_strides();
    }
    PlanarPixels pixels;
    pixels.data = array.data();
    pixels.height = static_cast<int>(array.shape(1));
    pixels.width = static_cast<int>(array.shape(2));
    pixels.row = array.stride(1);
    pixels.plane = array.stride(0);
    pixels.owner = keep(std::move(array));
    return VideoFrame(std::move(pixels));
}

// Python's None for no frame.
nb::object object_of(VideoFrame frame) {
    return frame.empty() ? nb::none() : nb::cast(std::move(frame));
}

nb::dict facts_of(const FrameCounts& counts) {
    nb::dict facts;
    facts["live"] = counts.live;
    facts["planar_writes"] = counts.planar_writes;
    facts["packed_writes"] = counts.packed_writes;
    facts["buffers"] = counts.buffers;
    facts["buffers_in_use"] = counts.buffers_in_use;
    return facts;
}

constexpr const char* kFrame = R"(A share of one frame of a video.

Its pixels lie in memory of a pool, in up to three representations, each written once, when it is first asked for. What
numpy() and torch() give are views: they keep the memory, which goes back to the pool with the last of them.)";

constexpr const char* kNumpy = R"(A view: "bgr" or "rgb" uint8 (H, W, 3), or "float" float32 (H, W, 3), R G B, 0..1, of
the planar memory. Raises millstream.Error for another word.)";

constexpr const char* kTorch = "A view: a tensor [3, H, W] float32, R G B, 0..1, gamma as in the source, on the CPU.";

void add_frame(nb::module_& module) {
    nb::class_<VideoFrame>(module, "Frame", kFrame)
        .def_prop_ro("index", &VideoFrame::index, "0, 1, 2, ... in its video; -1 = of no video")
        .def_prop_ro("time_s", &VideoFrame::time_s, "seconds from the first frame")
        .def_prop_ro("duration_s", &VideoFrame::duration_s, "seconds; 0 = unknown")
        .def_prop_ro(
            "width", [](const VideoFrame& frame) { return frame.size().width; }, "pixels")
        .def_prop_ro(
            "height", [](const VideoFrame& frame) { return frame.size().height; }, "pixels")
        .def("numpy", &numpy_of, "layout"_a = "bgr", kNumpy)
        .def("torch", &torch_of, kTorch)
        .def("at_time_of", &VideoFrame::at_time_of, "other"_a, "These pixels at the place of `other` in its video.");
    module.def("frame_of_packed", &frame_of_packed, "array"_a, "layout"_a);
    module.def("frame_of_planar", &frame_of_planar, "array"_a);
}

void add_reader(nb::module_& module) {
    nb::class_<FrameReader>(module, "Reader")
        .def("__init__",
             [](FrameReader* self, const std::string& path, const Settings& settings) {
                 const Options options = make_options(path, {}, settings);
                 const nb::gil_scoped_release released;
                 new (self) FrameReader(options);
             })
        .def("next",
             [](FrameReader& self) {
                 VideoFrame frame;
                 {
                     const nb::gil_scoped_release released;
                     frame = self.next();
                 }
                 return object_of(std::move(frame));
             })
        .def_prop_ro("path", [](const FrameReader& self) { return self.path().string(); })
        .def_prop_ro("width", [](const FrameReader& self) { return self.size().width; })
        .def_prop_ro("height", [](const FrameReader& self) { return self.size().height; })
        .def_prop_ro("frame_rate", &FrameReader::frame_rate)
        .def_prop_ro("frames", &FrameReader::frames)
        .def_prop_ro("counts", [](const FrameReader& self) { return facts_of(self.counts()); });
}

nb::list back_offs_of(const FrameEnhancer& enhancer) {
    nb::list list;
    for (const BackOff& step : enhancer.back_offs()) {
        nb::dict fields;
        fields["frame"] = step.frame;
        fields["measure"] = step.measure;
        fields["from"] = step.from;
        fields["to"] = step.to;
        fields["why"] = step.why;
        list.append(fields);
    }
    return list;
}

void add_enhancer(nb::module_& module) {
    const auto unlocked = [](auto method) {
        return [method](FrameEnhancer& self) {
            VideoFrame frame;
            {
                const nb::gil_scoped_release released;
                frame = (self.*method)();
            }
            return object_of(std::move(frame));
        };
    };
    nb::class_<FrameEnhancer>(module, "Enhancer")
        .def("__init__",
             [](FrameEnhancer* self, const Settings& settings) {
                 const Options options = make_options({}, {}, settings);
                 const nb::gil_scoped_release released;
                 new (self) FrameEnhancer(options);
             })
        .def("enhance", &FrameEnhancer::enhance, nb::call_guard<nb::gil_scoped_release>(), "frame"_a)
        .def("push", &FrameEnhancer::push, nb::call_guard<nb::gil_scoped_release>(), "frame"_a)
        .def("pop", unlocked(&FrameEnhancer::pop))
        .def("drain", unlocked(&FrameEnhancer::drain))
        .def("reset", &FrameEnhancer::reset, nb::call_guard<nb::gil_scoped_release>())
        .def_prop_ro("scale", &FrameEnhancer::scale)
        .def_prop_ro("in_flight", &FrameEnhancer::in_flight)
        .def_prop_ro("notes", [](const FrameEnhancer& self) { return self.notes(); })
        .def_prop_ro("back_offs", &back_offs_of)
        .def_prop_ro("counts", [](const FrameEnhancer& self) { return facts_of(self.counts()); });
}

void add_writer(nb::module_& module) {
    nb::class_<FrameWriter>(module, "Writer")
        .def("__init__",
             [](FrameWriter* self, const std::string& output, const FrameReader& like, const Settings& settings) {
                 const Options options = make_options({}, output, settings);
                 const nb::gil_scoped_release released;
                 new (self) FrameWriter(output, like, options);
             })
        .def("write", &FrameWriter::write, nb::call_guard<nb::gil_scoped_release>(), "frame"_a)
        .def("finish", &FrameWriter::finish, nb::call_guard<nb::gil_scoped_release>());
}

}   // namespace

void add_frames(nb::module_& module) {
    add_frame(module);
    add_reader(module);
    add_enhancer(module);
    add_writer(module);
}

}   // namespace millstream::python
