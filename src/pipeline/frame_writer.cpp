#include <cmath>
#include <system_error>
#include <utility>

#include "frame/convert.h"
#include "media/output.h"
#include "millstream/error.h"
#include "pipeline/leftovers.h"
#include "pipeline/output_checks.h"
#include "pipeline/planner.h"
#include "pipeline/resume.h"
#include "pipeline/video_frame.h"

namespace millstream {
namespace {

// The job of encoding frames of `size` beside what else is in `source`.
PreparedJob prepare_encoding(Options options, Size size) {
    options.model = "identity";   // nothing is enhanced here
    options.temporal = TemporalPreset::off;
    options.colour_fix = ColourFixing::off;
    options.debug_view = DebugView::none;
    options.alpha = Alpha::drop;   // frames have none
    options.crop = {};
    options.strict = false;
    options.scale = 1;
    options.fit.reset();
    options.size = options.size.value_or(size);
    options.verify = false;
    options.resume = Resume::never;
    return prepare(options);
}

}   // namespace

struct FrameWriter::State {
    explicit State(Options asked) : options(std::move(asked)) {
        check_output_path(options);
        check_nothing_is_lost(options);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (job && !finished) {
            const Leftovers leftovers(system_files(), options.output);
            output.reset();   // closes the file before it goes
        }
    }

    void open(Size frame_size) {
        size = frame_size;
        job = prepare_encoding(options, size);
        convert.emplace(size.width, size.height, job->encoder.format, job->encoder.colour, job->encoder.width,
                        job->encoder.height);
        pool.emplace(job->encoder.format, job->encoder.width, job->encoder.height);
        output.emplace(OutputSpec{.path = partial_path(options.output),
                                  .container = job->plan.container,
                                  .encoder = job->encoder,
                                  .carried = job->carried,
                                  .index_bytes = job->index_bytes,
                                  .checkpoint = checkpoint_path(options.output),
                                  .begun = begun_text()},
                       job->source);
    }

    // Time of a frame that belongs to no video: the next at the source's rate.
    [[nodiscard]] std::int64_t next_pts() const {
        const StreamInfo& video = job->source.video();
        const double rate = video.video->average_rate.num > 0 ? video.video->average_rate.value() : 25.0;
        return video.start_pts + std::llround(static_cast<double>(written) / rate / video.time_base.value());
    }

    Options options;
    Size size{};
    std::optional<PreparedJob> job;
    std::optional<TensorToPicture> convert;
    std::optional<PicturePool> pool;
    std::optional<VideoOutput> output;
    std::int64_t written = 0;
    std::int64_t last_pts = 0;
    bool finished = false;
};

FrameWriter::FrameWriter(const std::filesystem::path& output, const FrameReader& like, const Options& options) {
    Options asked = options;
    asked.input = like.path();
    asked.output = output;
    asked.video_stream = like.options().video_stream;
    asked.bake_rotation = like.options().bake_rotation;
    asked.deinterlace = like.options().deinterlace;   // fields stay fields, or are said to be none
    state_ = std::make_unique<State>(std::move(asked));
}
FrameWriter::~FrameWriter() = default;
FrameWriter::FrameWriter(FrameWriter&&) noexcept = default;
FrameWriter& FrameWriter::operator=(FrameWriter&&) noexcept = default;

void FrameWriter::write(const VideoFrame& frame) {
    const auto refuse = [](std::string why) {
        throw Error(ErrorKind::usage, {"writing a frame", "", std::move(why), ""});
    };
    State& state = *state_;
    if (state.finished) {
        refuse("the file has been completed");
    }
    if (!state.job) {
        state.open(frame.size());
    }
    if (frame.size() != state.size) {
        refuse("it is " + std::to_string(frame.size().width) + "x" + std::to_string(frame.size().height) +
               ", the first one was " + std::to_string(state.size.width) + "x" + std::to_string(state.size.height));
    }
    const std::int64_t pts = frame.index() < 0 ? state.next_pts() : frame.state().pts;
    if (state.written > 0 && pts <= state.last_pts) {
        refuse("it is no later than the one before");
    }
    Picture picture = state.pool->take();
    state.convert->convert(frame.state().planar(), picture);
    picture.pts = pts;
    picture.duration = frame.state().duration;
    state.output->write(picture);
    state.last_pts = pts;
    ++state.written;
}

std::int64_t FrameWriter::finish() {
    State& state = *state_;
    if (state.finished) {
        return state.written;
    }
    if (!state.job) {
        throw Error(ErrorKind::input,
                    {"completing the output", state.options.output.string(), "no frame was written", ""});
    }
    state.output->end();
    state.output->finish();
    state.output.reset();
    std::filesystem::rename(partial_path(state.options.output), state.options.output);
    remove_file(system_files(), checkpoint_path(state.options.output));
    state.finished = true;
    return state.written;
}

}   // namespace millstream
