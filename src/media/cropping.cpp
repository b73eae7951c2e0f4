#include "media/cropping.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/cpu.h"
#include "media/decoder.h"
#include "media/filter_graph.h"
#include "media/frame_fitter.h"
#include "media/pixel_formats.h"

namespace millstream {
namespace {

constexpr int kSmallestSide = 16;

CropArea whole(const SourceInfo& source) {
    const VideoStreamInfo& video = *source.video().video;
    return {0, 0, video.width, video.height, video.width, video.height};
}

// cropdetect's area grows to hold everything that was not black in any of the frames.
class BarDetector {
public:
    explicit BarDetector(const SourceInfo& source)
        : area_(whole(source)),
          format_(to_av(source.video().video->format)),
          graph_({format_, area_.whole_width, area_.whole_height, {0, 1}},
                 "cropdetect=limit=24/255:round=2:reset=0:skip=0", 1) {}

    void look(const Picture& picture) {
        av::Frame frame = to_frame(picture, format_);
        frame->pts = ++frames_;
        graph_.push(std::move(frame));
        while (const auto seen = graph_.pull()) {
            area_.x = filter_figure(**seen, "lavfi.cropdetect.x");
            area_.y = filter_figure(**seen, "lavfi.cropdetect.y");
            area_.width = filter_figure(**seen, "lavfi.cropdetect.w");
            area_.height = filter_figure(**seen, "lavfi.cropdetect.h");
        }
    }
    [[nodiscard]] const CropArea& area() const { return area_; }

private:
    CropArea area_;
    AVPixelFormat format_;
    FilterGraph graph_;
    std::int64_t frames_ = 0;
};

}   // namespace

CropArea find_picture(const SourceInfo& source) {
    constexpr std::array<double, 5> kPlaces{0.0, 0.2, 0.4, 0.6, 0.8};
    constexpr int kFramesAPlace = 12;
    BarDetector detector(source);
    const double duration_s = source.video().duration_s > 0 ? source.video().duration_s : source.duration_s;
    for (const double place : kPlaces) {
        DecoderSettings settings;
        settings.threads = usable_cpus();
        settings.start_s = place * duration_s;
        VideoDecoder decoder(source, settings);
        for (int i = 0; i < kFramesAPlace; ++i) {
            const std::optional<Picture> picture = decoder.next();
            if (!picture) {
                break;
            }
            detector.look(*picture);
        }
        if (duration_s <= 0) {
            break;
        }
    }
    const CropArea& area = detector.area();
    const double all = static_cast<double>(area.whole_width) * area.whole_height;
    const double share = static_cast<double>(area.width) * area.height / all;
    constexpr double kMostToKeep = 0.99;   // a line or two of dirt at the edge are no bars
    constexpr double kLeastToKeep = 0.2;
    const bool bars =
        area.width >= kSmallestSide && area.height >= kSmallestSide && share < kMostToKeep && share > kLeastToKeep;
    return bars ? area : whole(source);
}

CropArea checked_crop(const Crop& wish, const SourceInfo& source) {
    const VideoStreamInfo& video = *source.video().video;
    const int step_x = 1 << video.format.chroma_shift_x;
    const int step_y = 1 << video.format.chroma_shift_y;
    CropArea area = whole(source);
    area.x = wish.x / step_x * step_x;
    area.y = wish.y / step_y * step_y;
    area.width = wish.width;
    area.height = wish.height;
    const bool inside = area.width >= kSmallestSide && area.height >= kSmallestSide &&
                        area.x <= video.width - area.width && area.y <= video.height - area.height;
    if (!inside) {
        const auto text = [](int value) { return std::to_string(value); };
        throw Error(ErrorKind::usage,
                    {"cropping the picture",
                     "--crop " + text(wish.width) + ":" + text(wish.height) + ":" + text(wish.x) + ":" + text(wish.y),
                     "the picture is " + text(video.width) + "x" + text(video.height) +
                         ", and the part must lie inside and be at least 16x16",
                     "`--crop auto` finds black bars by itself"});
    }
    return area;
}

void use_crop(SourceInfo& source, const CropArea& area) {
    VideoStreamInfo& video = *source.streams.at(static_cast<std::size_t>(source.video_stream)).video;
    video.width = area.width;
    video.height = area.height;
}

Picture cut_out(const Picture& picture, const CropArea& area) {
    Picture part = picture;
    part.width = area.width;
    part.height = area.height;
    for (int plane = 0; plane < picture.format.planes(); ++plane) {
        // A plane is as much smaller than the picture as it is subsampled.
        const int column = picture.format.plane_width(plane, area.x);
        const int row = picture.format.plane_height(plane, area.y);
        const int step = picture.on_device && plane > 0 ? picture.on_device->chroma_step : 1;
        Plane& target = part.planes.at(static_cast<std::size_t>(plane));
        target.data +=
            row * target.stride + static_cast<std::ptrdiff_t>(column) * step * picture.format.bytes_per_sample();
    }
    return part;
}

}   // namespace millstream
