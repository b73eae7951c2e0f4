#include <string>
#include <utility>

#include "base/cpu.h"
#include "media/decoder.h"
#include "media/interlacing.h"
#include "media/probe.h"
#include "pipeline/video_frame.h"

namespace millstream {

struct FrameReader::State {
    explicit State(Options asked)
        : options(std::move(asked)),
          source(probe(options.input, options.video_stream, options.bake_rotation)),
          deinterlacing(choose_deinterlacing()),
          decoder(source, {.threads = usable_cpus(), .hwaccel = options.hwaccel, .deinterlacing = deinterlacing}),
          origin(std::make_shared<FrameOrigin>(Size{source.video().video->width, source.video().video->height})) {}

    Deinterlacing choose_deinterlacing() {
        std::string words;
        const Deinterlacing chosen = decide_deinterlacing(look_for_interlacing(source), options.deinterlace, words);
        if (chosen.rate == DeinterlacedRate::fields) {
            use_field_rate(source);
        }
        return chosen;
    }

    Options options;
    SourceInfo source;
    Deinterlacing deinterlacing;
    VideoDecoder decoder;
    std::shared_ptr<FrameOrigin> origin;
    std::int64_t next_index = 0;
    std::int64_t first_pts = 0;
};

FrameReader::FrameReader(const Options& options) : state_(std::make_unique<State>(options)) {}
FrameReader::FrameReader(const std::filesystem::path& input) {
    Options options;
    options.input = input;
    state_ = std::make_unique<State>(std::move(options));
}
FrameReader::~FrameReader() = default;
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;

VideoFrame FrameReader::next() {
    std::optional<Picture> picture = state_->decoder.next();
    if (!picture) {
        return {};
    }
    if (state_->next_index == 0) {
        state_->first_pts = picture->pts;
    }
    const double tick_s = state_->source.video().time_base.value();
    auto frame = std::make_shared<VideoFrame::State>(state_->origin);
    frame->index = state_->next_index++;
    frame->pts = picture->pts;
    frame->duration = picture->duration;
    frame->time_s = static_cast<double>(picture->pts - state_->first_pts) * tick_s;
    frame->duration_s = static_cast<double>(picture->duration) * tick_s;
    frame->picture = *std::move(picture);
    return VideoFrame(std::move(frame));
}

const std::filesystem::path& FrameReader::path() const {
    return state_->options.input;
}
const Options& FrameReader::options() const {
    return state_->options;
}
Size FrameReader::size() const {
    return state_->origin->size();
}
double FrameReader::frame_rate() const {
    const Rational rate = state_->source.video().video->average_rate;
    return rate.num > 0 && rate.den > 0 ? rate.value() : 0.0;
}
std::int64_t FrameReader::frames() const {
    return state_->source.video().video->frames;
}
FrameCounts FrameReader::counts() const {
    return state_->origin->counts();
}

}   // namespace millstream
