#include "verify/compare_frames.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/counted.h"
#include "verify/container_rules.h"
#include "verify/frame_order.h"
#include "verify/picture_measures.h"
#include "verify/scene_measures.h"
#include "verify/words.h"

namespace millstream {
namespace {

// Cuts and the order of frames are looked for in pictures of at most so many pixels a side.
constexpr int kSmallSide = 160;

Size small_size(Size size) {
    const double factor = std::min(1.0, static_cast<double>(kSmallSide) / std::max(size.width, size.height));
    return {std::max(1, static_cast<int>(size.width * factor)), std::max(1, static_cast<int>(size.height * factor))};
}

Size size_of(const VideoStreamInfo& video) {
    return {video.width, video.height};
}

LumaReader make_reader(const VideoStreamInfo& video, Size size) {
    return {video.format, resolve_colour(video.colour, video.format, video.height), size_of(video), size};
}

// Frames that only one side has, told as runs.
class LoneFrames {
public:
    LoneFrames(Findings& findings, bool of_source) : findings_(findings), of_source_(of_source) {}
    void add(std::int64_t frame, double time_s) {
        if (count_ == 0 || frame != first_ + count_) {
            finish();
            first_ = frame;
            time_s_ = time_s;
        }
        ++count_;
    }
    void finish() {
        if (count_ == 0) {
            return;
        }
        const std::string who = of_source_ ? "" : "result's ";
        const std::string place = count_ == 1
                                      ? who + frame_words(first_, time_s_)
                                      : who + "frames " + std::to_string(first_) + " to " +
                                            std::to_string(first_ + count_ - 1) + " (from " + fixed(time_s_, 3) + " s)";
        findings_.differ(CheckKind::frames,
                         {place, of_source_ ? "present" : "", of_source_ ? "missing" : "one more than the source has"},
                         count_);
        count_ = 0;
    }

private:
    Findings& findings_;
    bool of_source_;
    std::int64_t first_ = 0;
    std::int64_t count_ = 0;
    double time_s_ = 0;
};

// Time stamps are the same where the result's ticks divide the source's, else they were rounded to half a tick twice.
double time_tolerance(const SourceInfo& source, const SourceInfo& result) {
    constexpr double kRounding = 1e-7;
    const Rational from = source.video().time_base;
    const Rational to = result.video().time_base;
    const bool exact = (from.num * to.den) % (from.den * to.num) == 0;
    return (exact ? 0 : to.value()) + kRounding;
}

// Containers that count so coarsely (Matroska, 1 ms) store durations rounded once more, or derive them from a rate.
double duration_tolerance(const SourceInfo& source, const SourceInfo& result) {
    constexpr double kCoarse_s = 0.0005;
    const double coarser = std::max(source.video().time_base.value(), result.video().time_base.value());
    return std::max(time_tolerance(source, result), coarser >= kCoarse_s ? 1.5 * coarser : 0);
}

class FrameComparison {
public:
    FrameComparison(const ComparedFile& source, FrameCursor& of_source, const ComparedFile& result,
                    FrameCursor& of_result, Findings& findings, const VerifyOptions& options)
        : source_info_(source.info),
          result_info_(result.info),
          source_(of_source),
          result_(of_result),
          findings_(findings),
          time_tolerance_(time_tolerance(source.info, result.info)),
          duration_tolerance_(duration_tolerance(source.info, result.info)),
          size_(common_size(source.info, result.info)),
          small_(small_size(size_)),
          read_source_(make_reader(*source.info.video().video, size_)),
          read_result_(make_reader(*result.info.video().video, size_)),
          compares_levels_(same_levels(*source.info.video().video, *result.info.video().video)),
          missing_(findings, true),
          added_(findings, false),
          order_(findings),
          scenes_(options, findings) {}

    void run(const std::function<void(std::int64_t)>& tick) {
        while (!source_.at_end() || !result_.at_end()) {
            if (result_.at_end() || (!source_.at_end() && source_frame_is_missing())) {
                missing_.add(source_.number(), source_.time_s());
                advance_source();
            } else if (source_.at_end() || result_frame_is_added()) {
                added_.add(result_.number(), result_.time_s());
                result_.advance();
            } else {
                compare_pair();
                advance_source();
                result_.advance();
            }
            tick(source_.number());
        }
        missing_.finish();
        added_.finish();
        order_.finish();
    }

    std::vector<SceneQuality> scenes() { return scenes_.finish(); }

private:
    static Size common_size(const SourceInfo& source, const SourceInfo& result) {
        const Size a = size_of(*source.video().video);
        const Size b = size_of(*result.video().video);
        return {std::min(a.width, b.width), std::min(a.height, b.height)};
    }

    // Means of planes can be held against each other where both mean the same by them.
    static bool same_levels(const VideoStreamInfo& a, const VideoStreamInfo& b) {
        return a.format.family == b.format.family && a.colour.full_range == b.colour.full_range &&
               resolve_colour(a.colour, a.format, a.height).matrix ==
                   resolve_colour(b.colour, b.format, b.height).matrix;
    }

    [[nodiscard]] bool source_frame_is_missing() const {
        return source_.next() != nullptr && std::abs(result_.time_s() - source_.next_time_s()) + time_tolerance_ <
                                                std::abs(result_.time_s() - source_.time_s());
    }
    [[nodiscard]] bool result_frame_is_added() const {
        return result_.next() != nullptr && std::abs(result_.next_time_s() - source_.time_s()) + time_tolerance_ <
                                                std::abs(result_.time_s() - source_.time_s());
    }

    void advance_source() {
        before_ = std::move(own_small_);
        own_ = std::move(next_);
        own_small_ = std::move(next_small_);
        source_.advance();
    }

    // Planes of the source's frame and of the one behind it, unless a frame before has made them.
    void read_source_planes() {
        if (own_.samples.empty()) {
            read_source_.read(source_.here(), own_);
            own_small_ = shrink(own_, small_);
        }
        if (next_.samples.empty() && source_.next() != nullptr) {
            read_source_.read(*source_.next(), next_);
            next_small_ = shrink(next_, small_);
        }
    }

    void compare_pair() {
        findings_.compared(CheckKind::frames);
        compare_times();
        read_source_planes();
        read_result_.read(result_.here(), of_result_);
        const LumaPlane small = shrink(of_result_, small_);
        const auto there = [](const LumaPlane& plane) { return plane.samples.empty() ? nullptr : &plane; };
        order_.add({source_.number(), source_.time_s(), &small, &own_small_, there(before_), there(next_small_)});
        FrameMeasures measures;
        measures.frame = source_.number();
        measures.time_s = source_.time_s();
        measures.mse = mean_squared_error(own_, of_result_);
        measures.ssim = structural_similarity(own_, of_result_);
        measures.detail = detail_energy(own_);
        if (compares_levels_) {
            measures.shift = plane_means(result_.here());
            const std::vector<double> means = plane_means(source_.here());
            measures.shift.resize(std::min(measures.shift.size(), means.size()));
            for (std::size_t i = 0; i < measures.shift.size(); ++i) {
                measures.shift[i] -= means[i];
            }
        }
        scenes_.add(measures, !before_.samples.empty() && is_cut(before_, own_small_));
    }

    void compare_times() {
        findings_.compared(CheckKind::frame_times);
        const double wanted = source_.time_s();
        const double found = result_.time_s();
        const std::string place = frame_words(source_.number(), wanted);
        if (std::abs(wanted - found) > time_tolerance_) {
            findings_.differ(CheckKind::frame_times, {place, "at " + time_words(wanted), "at " + time_words(found)});
        }
        // All other durations follow from the time stamps: what containers store there are distances between dts, or
        // nothing.
        if (source_.next() == nullptr && result_.next() == nullptr) {
            compare_last_duration(place);
        }
    }

    void compare_last_duration(const std::string& place) {
        const std::vector<double> wanted = last_durations(source_, source_info_);
        const std::vector<double> found = last_durations(result_, result_info_);
        const bool same = std::any_of(wanted.begin(), wanted.end(), [&](double a) {
            return std::any_of(found.begin(), found.end(),
                               [&](double b) { return std::abs(a - b) <= duration_tolerance_; });
        });
        if (!same && !wanted.empty() && !found.empty()) {
            findings_.differ(CheckKind::frame_times, {place, "shown for " + time_words(wanted.front()),
                                                      "shown for " + time_words(found.front())});
        }
    }

    // What is known of how long the last frame is shown. FFmpeg's reader of MP4 cuts it by what the track starts late
    // (an empty edit): there the length of the track counts as well.
    static std::vector<double> last_durations(const FrameCursor& cursor, const SourceInfo& file) {
        std::vector<double> durations;
        if (const auto stored = cursor.stored_duration_s()) {
            durations.push_back(*stored);
        }
        const double to_end = file.video().duration_s - cursor.time_s();
        if (is_mov(file.container) && to_end > 0) {
            durations.push_back(to_end);
        }
        return durations;
    }

    const SourceInfo& source_info_;
    const SourceInfo& result_info_;
    FrameCursor& source_;
    FrameCursor& result_;
    Findings& findings_;
    double time_tolerance_;
    double duration_tolerance_;
    Size size_;
    Size small_;
    LumaReader read_source_;
    LumaReader read_result_;
    bool compares_levels_;
    LumaPlane own_;
    LumaPlane next_;
    LumaPlane of_result_;
    LumaPlane before_;   // small, as the two below
    LumaPlane own_small_;
    LumaPlane next_small_;
    LoneFrames missing_;
    LoneFrames added_;
    FrameOrder order_;
    SceneMeasures scenes_;
};

void report_decoding(const DecodeStatistics& source, const DecodeStatistics& result, Findings& findings) {
    const auto compare = [&](std::int64_t found, const char* one, const char* several, const char* what) {
        findings.compared(CheckKind::decoding);
        if (found > 0) {
            findings.differ(CheckKind::decoding, {"result's video", "none", counted(found, one, several) + what},
                            found);
        }
    };
    compare(result.corrupt_packets, "damaged packet", "damaged packets", "");
    compare(result.concealed_frames, "frame", "frames", " with damaged parts");
    compare(result.resized_frames, "frame", "frames", " of another size, format or colour matrix than the first");
    compare(result.repaired_pts, "frame", "frames", " whose time is absent, repeated or goes back");
    if (result.truncated) {
        findings.differ(CheckKind::decoding, {"result's video", "", "the file ends in the middle"});
    }
    const std::int64_t damage = source.corrupt_packets + source.concealed_frames;
    if (damage > 0 || source.truncated) {
        findings.note("The source itself is damaged: " + std::to_string(damage) + " packets or frames" +
                      (source.truncated ? ", and it ends in the middle." : "."));
    }
}

}   // namespace

void compare_frames(const ComparedFile& source, FrameCursor& of_source, const ComparedFile& result,
                    FrameCursor& of_result, Findings& findings, VerifyReport& report,
                    const std::function<void(std::int64_t)>& tick) {
    FrameComparison comparison(source, of_source, result, of_result, findings, report.options);
    comparison.run(tick);
    report.scenes = comparison.scenes();
    report.source_frames = of_source.statistics().frames;
    report.result_frames = of_result.statistics().frames;
    report_decoding(of_source.statistics(), of_result.statistics(), findings);
}

}   // namespace millstream
