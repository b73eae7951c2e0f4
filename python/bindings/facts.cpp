#include "facts.h"

#include <nanobind/stl/string.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "media/probe.h"

namespace nb = nanobind;

namespace millstream::python {
namespace {

nb::object fraction(Rational rate) {
    return rate.num > 0 && rate.den > 0 ? nb::cast(rate.value()) : nb::cast(0.0);
}

nb::dict video_facts(const VideoStreamInfo& video) {
    nb::dict facts;
    facts["width"] = video.width;
    facts["height"] = video.height;
    facts["pixel_format"] = video.pixel_format_name;
    facts["bit_depth"] = video.format.depth;
    facts["colour"] = describe_colour(video.colour);
    facts["average_rate"] = fraction(video.average_rate);
    facts["nominal_rate"] = fraction(video.nominal_rate);
    facts["frames"] = video.frames;
    facts["cover_art"] = video.cover_art;
    facts["interlaced"] = video.field_order != FieldOrder::progressive;
    return facts;
}

nb::dict stream_facts(const StreamInfo& stream) {
    nb::dict facts;
    facts["index"] = stream.index;
    facts["kind"] = to_string(stream.kind);
    facts["codec"] = stream.codec;
    facts["language"] = stream.language;
    facts["title"] = stream.title;
    facts["duration_s"] = stream.duration_s;
    facts["bit_rate"] = stream.bit_rate;
    facts["channels"] = stream.channels;
    facts["sample_rate"] = stream.sample_rate;
    facts["video"] = stream.video ? nb::object(video_facts(*stream.video)) : nb::none();
    return facts;
}

}   // namespace

nb::dict probe_facts(const std::string& path) {
    std::optional<SourceInfo> source;
    {
        const nb::gil_scoped_release released;
        source = probe(path);
    }
    nb::dict facts;
    facts["path"] = path;
    facts["container"] = source->container;
    facts["bytes"] = source->bytes;
    facts["duration_s"] = source->duration_s;
    facts["chapters"] = source->chapters;
    facts["video_stream"] = source->video_stream;
    nb::list streams;
    for (const StreamInfo& stream : source->streams) {
        streams.append(stream_facts(stream));
    }
    facts["streams"] = streams;
    return facts;
}

}   // namespace millstream::python
