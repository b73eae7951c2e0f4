#include "media/decoder.h"

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "media/av.h"
#include "media/deinterlacer.h"
#include "media/demuxer.h"
#include "media/device_frame.h"
#include "media/frame_decoder.h"
#include "media/frame_fitter.h"
#include "media/pixel_formats.h"
#include "media/rising_pts.h"
#include "media/turn.h"

namespace millstream {
namespace {

// What comes out of the decoder: before it is turned. The transpose of a turn undoes it.
Orientation way_back(const VideoStreamInfo& video) {
    const Orientation way = video.turned ? *video.orientation : Orientation{};
    return {way.a, way.c, way.b, way.d};
}

Shape shape_of(const VideoStreamInfo& video) {
    const Orientation back = way_back(video);
    const Size size = turned(Size{video.width, video.height}, back);
    return {size.width, size.height, turned(video.sample_aspect, back)};
}

// As it is before the crop.
VideoStreamInfo whole_video(const SourceInfo& source, const DecoderSettings& settings) {
    VideoStreamInfo video = *source.video().video;
    if (settings.crop) {
        video.width = settings.crop->whole_width;
        video.height = settings.crop->whole_height;
    }
    return video;
}

DecoderSettings staying(DecoderSettings settings, const std::optional<DevicePlace>& stay) {
    settings.stay = stay;
    return settings;
}

std::int64_t nominal_ticks(const StreamInfo& stream) {
    const Rational rate = stream.video->average_rate;
    constexpr std::int64_t kMost = std::int64_t{1} << 32;   // far from overflow however many frames have no time stamp
    const std::int64_t ticks =
        rate.num <= 0 ? 1 : av_rescale_q(1, av_inv_q(av::to_av(rate)), av::to_av(stream.time_base));
    return std::clamp<std::int64_t>(ticks, 1, kMost);
}

// A decoder that only fails is given up on: no file makes us loop for ever.
constexpr int kMostFailuresInARow = 10000;
constexpr const char* kFetching = "fetching a picture from the decoding device";

}   // namespace

struct VideoDecoder::State {
    State(const SourceInfo& source, const DecoderSettings& settings)
        : video(whole_video(source, settings)),
          demuxer(source),
          stay(video.turned || settings.deinterlacing.rate != DeinterlacedRate::none ? std::nullopt : settings.stay),
          decoder(demuxer, checked_stream(source), staying(settings, stay)),
          fitter(turned(video.format, way_back(video)), shape_of(video), video.colour.full_range, video.colour.matrix),
          rising_pts(nominal_ticks(source.video())),
          crop(settings.crop) {
        strict = settings.strict;
        demuxer.select({source.video_stream});
        if (settings.start_s > 0) {
            demuxer.seek_near(settings.start_s);
            awaits_key = true;
        }
        if (settings.deinterlacing.rate != DeinterlacedRate::none) {
            const Shape shape = shape_of(video);
            const FilterInput input{to_av(turned(video.format, way_back(video))), shape.width, shape.height,
                                    av::to_av(shape.sample_aspect)};
            deinterlacer.emplace(input, settings.deinterlacing, decoder_threads(settings.threads));
        }
    }

    int checked_stream(const SourceInfo& source) const {
        if (source.video_stream < 0 || source.video_stream >= demuxer.streams()) {
            throw Error(ErrorKind::input, {"opening the input", demuxer.name(),
                                           "the file has changed since it was looked at", "Start again"});
        }
        return source.video_stream;
    }

    [[nodiscard]] std::optional<DevicePlanes> staying_planes(const AVFrame& frame) const;
    std::optional<av::Frame> next_frame();
    void feed();
    av::Frame finish(av::Frame frame);
    std::optional<Picture> next_picture();
    std::optional<Picture> next_deinterlaced();
    Picture picture_of(av::Frame frame, std::int64_t duration);
    void count();
    void check_strict() const;

    VideoStreamInfo video;
    bool strict = false;
    Demuxer demuxer;
    std::optional<DevicePlace> stay;
    FrameDecoder decoder;
    FrameFitter fitter;
    RisingPts rising_pts;
    PicturePool turned_pictures{video.format, video.width, video.height};
    std::optional<CropArea> crop;
    std::optional<Deinterlacer> deinterlacer;
    bool ended = false;   // the deinterlacer has had the last frame
    av::Packet packet = av::make_packet();
    bool draining = false;
    bool awaits_key = false;   // behind a seek
    int failures_in_a_row = 0;
    DecodeStatistics statistics;
    std::int64_t refused_packets = 0;
};

// Nothing: the frame is wanted in the host's memory.
std::optional<DevicePlanes> VideoDecoder::State::staying_planes(const AVFrame& frame) const {
    return stay && fitter.has_shape_and_colour(frame) ? planes_on_device(frame, video.format, stay->device)
                                                      : std::nullopt;
}

std::optional<av::Frame> VideoDecoder::State::next_frame() {
    while (failures_in_a_row < kMostFailuresInARow) {
        av::Frame frame = av::make_frame();
        switch (decoder.receive(*frame)) {
            case FrameDecoder::Result::frame:
                if (!staying_planes(*frame) && !fetch_from_device(*frame)) {
                    ++refused_packets;
                    ++failures_in_a_row;
                    break;
                }
                failures_in_a_row = 0;
                return frame;
            case FrameDecoder::Result::needs_packet:
                feed();
                break;
            case FrameDecoder::Result::finished:
                return std::nullopt;
            case FrameDecoder::Result::damaged:
                ++refused_packets;
                ++failures_in_a_row;
                break;
        }
    }
    statistics.truncated = true;
    return std::nullopt;
}

void VideoDecoder::State::feed() {
    if (!draining && demuxer.read(*packet)) {
        if (awaits_key && (packet->flags & AV_PKT_FLAG_KEY) == 0) {
            return;   // MPEG-TS may begin in the middle; what is decoded from there is not what it should be
        }
        awaits_key = false;
        if (!decoder.send(*packet) && (packet->flags & AV_PKT_FLAG_CORRUPT) == 0) {   // else the demuxer has counted it
            ++refused_packets;
        }
        return;
    }
    failures_in_a_row += draining ? 1 : 0;   // a drained decoder that asks for more
    draining = true;
    decoder.drain();
}

// Brings the frame to the size, format and rising pts of all.
av::Frame VideoDecoder::State::finish(av::Frame frame) {
    const std::optional<std::int64_t> pts =
        frame->best_effort_timestamp == AV_NOPTS_VALUE ? std::nullopt : std::optional(frame->best_effort_timestamp);
    av::Frame fitted = staying_planes(*frame) ? std::move(frame) : fitter.fit(std::move(frame));
    fitted->pts = rising_pts.next(pts);
    return fitted;
}

Picture VideoDecoder::State::picture_of(av::Frame frame, std::int64_t duration) {
    const std::int64_t pts = frame->pts;
    const PixelFormat format = turned(video.format, way_back(video));
    const std::optional<DevicePlanes> planes = staying_planes(*frame);
    Picture picture =
        planes ? to_device_picture(std::move(frame), format, *planes) : to_picture(std::move(frame), format);
    if (video.turned) {
        picture = turn(picture, *video.orientation, turned_pictures);
    }
    if (crop) {
        picture = cut_out(picture, *crop);
    }
    picture.colour = video.colour;
    picture.pts = pts;
    picture.duration = duration > 0 ? duration : 0;
    return picture;
}

std::optional<Picture> VideoDecoder::State::next_picture() {
    if (deinterlacer) {
        return next_deinterlaced();
    }
    std::optional<av::Frame> frame = next_frame();
    if (!frame) {
        return std::nullopt;
    }
    const std::int64_t duration = av::duration_of(**frame);
    return picture_of(finish(*std::move(frame)), duration);
}

std::optional<Picture> VideoDecoder::State::next_deinterlaced() {
    for (;;) {
        if (auto ready = deinterlacer->pull()) {
            return picture_of(std::move(ready->frame), ready->duration);
        }
        if (ended) {
            return std::nullopt;
        }
        if (std::optional<av::Frame> frame = next_frame()) {
            const std::int64_t duration = av::duration_of(**frame);
            deinterlacer->push(finish(*std::move(frame)), duration);
        } else {
            deinterlacer->end();
            ended = true;
        }
    }
}

void VideoDecoder::State::count() {
    statistics.concealed_frames = decoder.concealed();
    statistics.corrupt_packets = demuxer.corrupt_packets() + refused_packets;
    statistics.repaired_pts = rising_pts.repaired();
    statistics.missing_pts = rising_pts.missing();
    statistics.repeated_pts = rising_pts.repeated();
    statistics.backward_pts = rising_pts.backward();
    statistics.clock_jumps = demuxer.clock_jumps();
    statistics.bytes_read = demuxer.bytes_read();
    statistics.resized_frames = fitter.resampled();
    statistics.truncated = statistics.truncated || demuxer.truncated();
}

void VideoDecoder::State::check_strict() const {
    if (!strict) {
        return;
    }
    const std::vector<std::string> found = describe_damage(statistics);
    if (!found.empty()) {
        throw Error(ErrorKind::difference,
                    {"decoding the video", demuxer.name() + ", frame " + std::to_string(statistics.frames),
                     found.front(), "Without --strict it is repaired and counted"});
    }
}

std::vector<std::string> describe_damage(const DecodeStatistics& decoded) {
    std::vector<std::string> sentences;
    const auto add = [&](std::int64_t count, const char* one, const char* several, const char* what) {
        if (count > 0) {
            sentences.push_back(counted(count, one, several) + what);
        }
    };
    add(decoded.corrupt_packets, "damaged packet", "damaged packets", " could not be decoded");
    add(decoded.concealed_frames, "frame was", "frames were", " decoded with damaged or missing parts");
    add(decoded.missing_pts, "frame", "frames", " had no time stamp, and got one at the nominal rate");
    add(decoded.repeated_pts, "time stamp was repeated, and was", "time stamps were repeated, and were",
        " moved apart");
    add(decoded.backward_pts, "time stamp went backwards, and was", "time stamps went backwards, and were",
        " repaired");
    add(decoded.clock_jumps, "time", "times", " the file's clock started again, and was joined");
    add(decoded.resized_frames, "frame had another size, format or colour matrix than the first and was",
        "frames had another size, format or colour matrix than the first and were", " brought to it");
    if (decoded.truncated) {
        sentences.emplace_back("the input ends in the middle: it is truncated or damaged");
    }
    return sentences;
}

VideoDecoder::VideoDecoder(const SourceInfo& source, const DecoderSettings& settings)
    : state_(std::make_unique<State>(source, settings)) {}
VideoDecoder::~VideoDecoder() = default;
VideoDecoder::VideoDecoder(VideoDecoder&&) noexcept = default;
VideoDecoder& VideoDecoder::operator=(VideoDecoder&&) noexcept = default;

std::optional<Picture> VideoDecoder::next() {
    State& state = *state_;
    std::optional<Picture> picture = state.next_picture();
    state.statistics.frames += picture ? 1 : 0;
    state.statistics.on_device += picture && picture->on_device ? 1 : 0;
    state.count();
    state.check_strict();
    return picture;
}

Picture VideoDecoder::fetched(const Picture& picture) {
    av::Frame frame = av::make_frame();
    av::check(av_frame_ref(frame.get(), static_cast<const AVFrame*>(picture.owner.get())), ErrorKind::resource,
              kFetching, state_->demuxer.name());
    if (!fetch_from_device(*frame)) {
        throw Error(ErrorKind::resource, {kFetching, state_->demuxer.name(), "its device does not give it", ""});
    }
    return state_->picture_of(state_->fitter.fit(std::move(frame)), picture.duration);
}

const DecodeStatistics& VideoDecoder::statistics() const {
    return state_->statistics;
}

}   // namespace millstream
