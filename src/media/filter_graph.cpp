#include "media/filter_graph.h"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
}

#include <cstdlib>
#include <utility>

namespace millstream {
namespace {

constexpr const char* kFiltering = "filtering a frame";
constexpr const char* kBuilding = "building the filters";

AVFilterContext* create(AVFilterGraph* graph, const char* filter, const char* name, const std::string& arguments) {
    AVFilterContext* context = nullptr;
    const int created = avfilter_graph_create_filter(&context, avfilter_get_by_name(filter), name,
                                                     arguments.empty() ? nullptr : arguments.c_str(), nullptr, graph);
    av::check(created, ErrorKind::internal, kBuilding, filter);
    return context;
}

std::string words(const FilterInput& input) {
    const std::string aspect = std::to_string(input.sample_aspect.num) + "/" + std::to_string(input.sample_aspect.den);
    return "width=" + std::to_string(input.width) + ":height=" + std::to_string(input.height) +
           ":pix_fmt=" + std::to_string(input.format) + ":time_base=1/1000000:pixel_aspect=" + aspect;
}

}   // namespace

FilterGraph::FilterGraph(const FilterInput& input, const std::string& filters, int threads)
    : graph_(avfilter_graph_alloc()) {
    if (!graph_) {
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kBuilding, filters);
    }
    graph_->nb_threads = threads;
    source_ = create(graph_.get(), "buffer", "in", words(input));
    sink_ = create(graph_.get(), "buffersink", "out", {});
    // A filter that does not take the format is given another one; what comes out is brought back.
    AVFilterContext* format =
        create(graph_.get(), "format", "format", std::string("pix_fmts=") + av_get_pix_fmt_name(input.format));
    av::check(avfilter_link(format, 0, sink_, 0), ErrorKind::internal, kBuilding, filters);

    AVFilterInOut* outputs = avfilter_inout_alloc();
    AVFilterInOut* inputs = avfilter_inout_alloc();
    if (outputs == nullptr || inputs == nullptr) {
        avfilter_inout_free(&outputs);
        avfilter_inout_free(&inputs);
        av::fail(ErrorKind::resource, AVERROR(ENOMEM), kBuilding, filters);
    }
    *outputs = {av_strdup("in"), source_, 0, nullptr};
    *inputs = {av_strdup("out"), format, 0, nullptr};
    const int parsed = avfilter_graph_parse_ptr(graph_.get(), filters.c_str(), &inputs, &outputs, nullptr);
    avfilter_inout_free(&outputs);
    avfilter_inout_free(&inputs);
    av::check(parsed, ErrorKind::internal, kBuilding, filters);
    av::check(avfilter_graph_config(graph_.get(), nullptr), ErrorKind::internal, kBuilding, filters);
}

void FilterGraph::push(av::Frame frame) {
    av::check(av_buffersrc_add_frame(source_, frame.get()), ErrorKind::internal, kFiltering, {});
}

void FilterGraph::end() {
    av::check(av_buffersrc_add_frame(source_, nullptr), ErrorKind::internal, kFiltering, {});
}

std::optional<av::Frame> FilterGraph::pull() {
    av::Frame frame = av::make_frame();
    const int got = av_buffersink_get_frame(sink_, frame.get());
    if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) {
        return std::nullopt;
    }
    av::check(got, ErrorKind::internal, kFiltering, {});
    return frame;
}

int filter_figure(const AVFrame& frame, const char* name) {
    const AVDictionaryEntry* entry = av_dict_get(frame.metadata, name, nullptr, 0);
    return entry == nullptr ? 0 : std::atoi(entry->value);
}

}   // namespace millstream
