#include "media/deinterlacer.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <string>
#include <utility>

#include "millstream/error.h"

namespace millstream {
namespace {

// Every frame is treated, whatever its own flag says: whether the video is interlaced has been decided for the whole.
std::string filter(const Deinterlacing& settings) {
    return std::string("bwdif=mode=") + (settings.rate == DeinterlacedRate::fields ? "send_field" : "send_frame") +
           ":parity=" + (settings.top_field_first ? "tff" : "bff") + ":deint=all";
}

// FFmpeg's bwdif compares three columns and four lines of every plane.
const FilterInput& large_enough(const FilterInput& input) {
    const AVPixFmtDescriptor& layout = *av_pix_fmt_desc_get(input.format);
    if (AV_CEIL_RSHIFT(input.width, layout.log2_chroma_w) < 3 ||
        AV_CEIL_RSHIFT(input.height, layout.log2_chroma_h) < 4) {
        throw Error(
            ErrorKind::input,
            {"deinterlacing", std::to_string(input.width) + "x" + std::to_string(input.height) + " pictures",
             "a plane of theirs has less than 3 columns or 4 lines", "Take them as they are: --deinterlace off"});
    }
    return input;
}

}   // namespace

Deinterlacer::Deinterlacer(const FilterInput& input, const Deinterlacing& settings, int threads)
    : graph_(large_enough(input), filter(settings), threads), fields_(settings.rate == DeinterlacedRate::fields) {}

void Deinterlacer::push(av::Frame frame, std::int64_t duration) {
    if (!timings_.empty()) {
        last_step_ = frame->pts - timings_.back().pts;
    }
    timings_.push_back({frame->pts, duration});
    graph_.push(std::move(frame));
}

void Deinterlacer::end() {
    graph_.end();
}

// The filter gives one picture a frame, or two, in order; their time stamps are ours, since the filter guesses the
// last.
std::optional<Deinterlacer::Deinterlaced> Deinterlacer::pull() {
    std::optional<av::Frame> frame = graph_.pull();
    if (!frame || timings_.empty()) {
        return std::nullopt;
    }
    const Timing timing = timings_.front();
    Deinterlaced result{*std::move(frame), timing.duration};
    if (!fields_) {
        result.frame->pts = timing.pts;
        timings_.pop_front();
        return result;
    }
    const std::int64_t step = timings_.size() > 1 ? timings_[1].pts - timing.pts : last_step_;
    result.frame->pts = 2 * timing.pts + (second_field_ ? step : 0);
    result.duration = step;
    if (second_field_) {
        timings_.pop_front();
    }
    second_field_ = !second_field_;
    return result;
}

}   // namespace millstream
