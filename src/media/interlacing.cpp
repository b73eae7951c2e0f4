#include "media/interlacing.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/cpu.h"
#include "media/av.h"
#include "media/decoder.h"
#include "media/filter_graph.h"
#include "media/frame_fitter.h"
#include "media/pixel_formats.h"

namespace millstream {
namespace {

constexpr int kMostFrames = 100;
constexpr int kEnoughFrames = 30;
constexpr double kFastestInterlaced = 31;   // frames a second: 30000/1001 and 25 are broadcast's
constexpr int kMostLines = 1200;
// Of the frames that show anything, so many must agree.
constexpr double kMostOfThem = 0.6;

bool may_be_interlaced(const StreamInfo& stream) {
    constexpr std::array<std::string_view, 6> kProgressiveCodecs{"vp8", "vp9", "av1", "gif", "apng", "webp"};
    const bool known =
        std::find(kProgressiveCodecs.begin(), kProgressiveCodecs.end(), stream.codec) != kProgressiveCodecs.end();
    return !known && stream.video->average_rate.value() <= kFastestInterlaced && stream.video->height <= kMostLines;
}

// idet's counts over several frames, which are steadier than its verdicts on single ones. Only the order of the fields
// is taken from it: it takes the scrolling of FFmpeg's own test pattern for interlacing.
void read_field_order(const AVFrame& frame, InterlacingEvidence& evidence) {
    evidence.top_first = filter_figure(frame, "lavfi.idet.multiple.tff");
    evidence.bottom_first = filter_figure(frame, "lavfi.idet.multiple.bff");
}

// Note [Combing]
// Where something moves in an interlaced frame, a line resembles the one after next, of the same instant, more than its
// neighbour, of another. So, over the pixels that have changed since the frame before: the sum of differences between
// neighbouring lines over that between lines two apart. Measured medians: 0.51-0.71 on 40 progressive clips of every
// kind (noise 0.66, grain 0.58), test patterns included; above 1 on interlaced ones.
class CombDetector {
public:
    enum class Verdict { combed, whole, unclear };

    Verdict look(const Picture& picture) {
        const Verdict verdict = previous_.planes[0].data == nullptr ? Verdict::unclear
                                : picture.format.depth > 8          ? compare<std::uint16_t>(picture)
                                                                    : compare<std::uint8_t>(picture);
        previous_ = picture;
        return verdict;
    }

private:
    template <class Sample>
    Verdict compare(const Picture& picture) const {
        const int changed_from = 10 << (picture.format.depth - 8);   // code values
        std::int64_t changed = 0;
        std::int64_t neighbours = 0;
        std::int64_t two_apart = 0;
        for (int y = 0; y + 2 < picture.height; ++y) {
            const auto* now = row<Sample>(picture, y);
            const auto* next = row<Sample>(picture, y + 1);
            const auto* after_next = row<Sample>(picture, y + 2);
            const auto* before = row<Sample>(previous_, y);
            for (int x = 0; x < picture.width; ++x) {
                if (std::abs(now[x] - before[x]) > changed_from) {
                    ++changed;
                    neighbours += std::abs(now[x] - next[x]);
                    two_apart += std::abs(now[x] - after_next[x]);
                }
            }
        }
        constexpr double kEnoughOfPicture = 0.003;
        if (static_cast<double>(changed) < kEnoughOfPicture * picture.width * picture.height || two_apart == 0) {
            return Verdict::unclear;
        }
        constexpr double kCombedFrom = 1.0;
        constexpr double kWholeTo = 0.75;
        const double ratio = static_cast<double>(neighbours) / static_cast<double>(two_apart);
        return ratio >= kCombedFrom ? Verdict::combed : ratio <= kWholeTo ? Verdict::whole : Verdict::unclear;
    }

    template <class Sample>
    static const Sample* row(const Picture& picture, int y) {
        return reinterpret_cast<const Sample*>(picture.planes[0].data + y * picture.planes[0].stride);
    }

    Picture previous_;   // shares the pixels
};

std::string of(int count, int all) {
    return std::to_string(count) + " of " + std::to_string(all);
}

}   // namespace

InterlacingEvidence look_for_interlacing(const SourceInfo& source) {
    InterlacingEvidence evidence;
    if (!may_be_interlaced(source.video())) {
        return evidence;
    }
    const VideoStreamInfo& video = *source.video().video;
    VideoDecoder decoder(source, {.threads = usable_cpus(), .hwaccel = {}});
    const AVPixelFormat format = to_av(video.format);
    FilterGraph idet({format, video.width, video.height, {0, 1}}, "idet", 1);
    CombDetector detector;
    while (evidence.looked_at < kMostFrames && evidence.combed + evidence.whole < kEnoughFrames) {
        const std::optional<Picture> picture = decoder.next();
        if (!picture) {
            break;
        }
        ++evidence.looked_at;
        evidence.flagged += picture->interlaced ? 1 : 0;
        evidence.flagged_top_first += picture->interlaced && picture->top_field_first ? 1 : 0;
        const CombDetector::Verdict verdict = detector.look(*picture);
        evidence.combed += verdict == CombDetector::Verdict::combed ? 1 : 0;
        evidence.whole += verdict == CombDetector::Verdict::whole ? 1 : 0;
        av::Frame frame = to_frame(*picture, format);
        frame->pts = evidence.looked_at;
        idet.push(std::move(frame));
        while (const auto seen = idet.pull()) {
            read_field_order(**seen, evidence);
        }
    }
    return evidence;
}

Deinterlacing decide_deinterlacing(const InterlacingEvidence& evidence, Deinterlace wish, std::string& words) {
    const int moving = evidence.combed + evidence.whole;
    const bool flagged = 2 * evidence.flagged > evidence.looked_at;
    const bool looks_combed = moving > 0 && evidence.combed > kMostOfThem * moving;
    const bool looks_whole = moving > 0 && evidence.whole > kMostOfThem * moving;
    const bool interlaced = looks_combed || (flagged && !looks_whole);

    Deinterlacing result;
    result.top_field_first =
        flagged ? 2 * evidence.flagged_top_first >= evidence.flagged : evidence.top_first >= evidence.bottom_first;
    const std::string found = "flagged so in " + of(evidence.flagged, evidence.looked_at) + " frames, combed in " +
                              of(evidence.combed, moving) + " that move, " +
                              (result.top_field_first ? "top" : "bottom") + " field first";
    const bool wanted = wish == Deinterlace::on || wish == Deinterlace::fields;
    if (wish == Deinterlace::off) {
        words = interlaced ? "The video is interlaced (" + found +
                                 ") and is left so: the network will take the two fields for one picture."
                           : "";
        return result;
    }
    if (!wanted && !interlaced) {
        words = flagged ? "The video is flagged as interlaced, but its content is not (" + found +
                              "): frames are taken as they are."
                        : "";
        return result;
    }
    result.rate = wish == Deinterlace::fields ? DeinterlacedRate::fields : DeinterlacedRate::frames;
    words =
        (interlaced ? "The video is interlaced (" + found + "): " : "Deinterlacing was asked for (" + found + "): ") +
        (wish == Deinterlace::fields ? "a picture is made of every field, at twice the frame rate."
                                     : "a picture is made of every frame, at the frame's own time.");
    return result;
}

void use_field_rate(SourceInfo& source) {
    StreamInfo& stream = source.streams.at(static_cast<std::size_t>(source.video_stream));
    stream.time_base.den *= 2;
    stream.start_pts *= 2;
    stream.video->average_rate.num *= 2;
    stream.video->nominal_rate.num *= 2;
    stream.video->frames *= 2;
}

}   // namespace millstream
