// A chain of FFmpeg's video filters: frames in, frames out.
#pragma once

#include <cstdint>   // before FFmpeg's headers, which want its macros

extern "C" {
#include <libavfilter/avfilter.h>
}

#include <optional>
#include <string>

#include "media/av.h"

namespace millstream {

/// What goes in. Frames that come out have the same format.
struct FilterInput {
    AVPixelFormat format = AV_PIX_FMT_NONE;
    int width = 0;
    int height = 0;
    AVRational sample_aspect{0, 1};
};

/// One thread at a time. Time stamps are not this class's business: filters change their time base.
class FilterGraph {
public:
    /// `filters`: in FFmpeg's syntax, e.g. "bwdif=mode=send_frame". Throws Error(internal) for filters this FFmpeg does
    /// not have, Error(resource) when memory ran out.
    FilterGraph(const FilterInput& input, const std::string& filters, int threads);

    void push(av::Frame frame);
    /// No more frames: pull() gives what the filters still hold.
    void end();
    /// The next frame, or nothing before more has been pushed (after end(): ever again).
    std::optional<av::Frame> pull();

private:
    using Graph = std::unique_ptr<AVFilterGraph, av::FreeThrough<avfilter_graph_free>>;
    Graph graph_;
    AVFilterContext* source_ = nullptr;   // owned by graph_
    AVFilterContext* sink_ = nullptr;
};

/// What a measuring filter has noted in a frame that came out, e.g. "lavfi.cropdetect.w"; 0 where it has not.
int filter_figure(const AVFrame& frame, const char* name);

}   // namespace millstream
