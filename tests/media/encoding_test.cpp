// Which encoder, format, colour and container a job gets, and what is refused before anything is opened.
#include "media/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/cpu.h"
#include "media/encoder_format.h"
#include "media/encoder_options.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 40;

SourceInfo source_of(const PixelFormat& format, int width = 640, int height = 360) {
    StreamInfo stream;
    stream.kind = StreamKind::video;
    stream.codec = "h264";
    stream.time_base = {1, 90000};
    VideoStreamInfo video;
    video.width = width;
    video.height = height;
    video.format = format;
    video.colour = {1, 1, 1, false, ChromaLocation::left};
    video.average_rate = {25, 1};
    stream.video = video;
    SourceInfo source;
    source.streams.push_back(stream);
    return source;
}

class ChooseEncoder : public ::testing::Test {
protected:
    ChooseEncoder() { options_.output = "out.mkv"; }

    EncoderSettings choose(const SourceInfo& source, std::uint64_t budget = kPlenty) {
        notes_.clear();
        const VideoStreamInfo& video = *source.video().video;
        return choose_encoder(options_, source, {video.width * 2, video.height * 2}, budget, notes_);
    }

    // The refusal's text; it must be about usage and name `subject`.
    std::string refusal(const std::string& subject) {
        try {
            choose(source_of({}));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.what(), HasSubstr(subject));
            EXPECT_FALSE(error.context().hint.empty()) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "taken";
        return "";
    }

    Options options_;
    std::vector<std::string> notes_;
};

TEST(EncoderThreads, x264_gets_more_than_there_are_processors_since_they_wait_for_one_another) {
    EXPECT_EQ(threads_of("libx264", 1), 1);
    EXPECT_EQ(threads_of("libx264", 2), 4);
    EXPECT_EQ(threads_of("libx264", 4), 6);
    EXPECT_EQ(threads_of("libx264rgb", 16), 24);
    EXPECT_EQ(threads_of("libx264", 512), 128);
    EXPECT_EQ(threads_of("libx265", 16), 16);
}

TEST_F(ChooseEncoder, has_the_documented_defaults) {
    const EncoderSettings h264 = choose(source_of({}));
    EXPECT_EQ(h264.encoder, "libx264");
    EXPECT_EQ(h264.crf, 18);
    EXPECT_EQ(h264.preset, "medium");
    EXPECT_EQ(h264.width, 1280);
    EXPECT_EQ(h264.height, 720);
    EXPECT_EQ(h264.frame_rate, (Rational{25, 1}));
    EXPECT_EQ(h264.pixel_format_name, "yuv420p");
    EXPECT_EQ(h264.threads, threads_of("libx264", usable_cpus()))
        << "resolved: what is written must not depend on the machine it runs on";
    EXPECT_THAT(notes_, IsEmpty());
    options_.codec = "hevc";
    const EncoderSettings hevc = choose(source_of({}));
    EXPECT_EQ(hevc.encoder, "libx265");
    EXPECT_EQ(hevc.threads, usable_cpus());
    EXPECT_EQ(hevc.crf, 18);
    options_.codec = "av1";
    const EncoderSettings av1 = choose(source_of({}));
    EXPECT_EQ(av1.encoder, "libsvtav1");
    EXPECT_EQ(av1.crf, 23);
    EXPECT_EQ(av1.preset, "8");
    options_.crf = 30;
    options_.preset = "10";
    EXPECT_EQ(choose(source_of({})).crf, 30);
}

TEST_F(ChooseEncoder, keeps_subsampling_and_depth_where_the_encoder_can) {
    struct Case {
        PixelFormat source;
        const char* encoder;
        const char* expected;
    };
    const auto yuv = [](int depth, int x, int y) { return PixelFormat{ColourFamily::yuv, depth, x, y, false}; };
    const auto rgb = [](int depth) { return PixelFormat{ColourFamily::rgb, depth, 0, 0, false}; };
    const auto gray = [](int depth) { return PixelFormat{ColourFamily::gray, depth, 0, 0, false}; };
    for (const Case& c : {
             Case{yuv(8, 1, 1), "libx264", "yuv420p"},
             Case{yuv(10, 1, 1), "libx264", "yuv420p10le"},
             Case{yuv(8, 1, 0), "libx264", "yuv422p"},
             Case{yuv(10, 0, 0), "libx264", "yuv444p10le"},
             Case{yuv(12, 1, 0), "libx264", "yuv422p10le"},
             Case{yuv(16, 1, 1), "libx264", "yuv420p10le"},
             Case{yuv(9, 1, 1), "libx264", "yuv420p10le"},
             Case{yuv(8, 2, 0), "libx264", "yuv422p"},
             Case{yuv(8, 2, 2), "libx264", "yuv420p"},
             Case{yuv(8, 0, 1), "libx264", "yuv444p"},
             Case{rgb(8), "libx264", "yuv444p"},
             Case{rgb(16), "libx264", "yuv444p10le"},
             Case{gray(8), "libx264", "gray"},
             Case{gray(12), "libx264", "gray10le"},
             Case{yuv(12, 1, 1), "libx265", "yuv420p12le"},
             Case{rgb(10), "libx265", "yuv444p10le"},
             Case{gray(10), "libx265", "gray10le"},
             Case{yuv(10, 0, 0), "libsvtav1", "yuv420p10le"},
             Case{gray(8), "libsvtav1", "yuv420p"},
             Case{rgb(8), "ffv1", "bgr0"},   // a codec that loses nothing is given nothing that does
             Case{rgb(8), "png", "rgb24"},
             Case{PixelFormat{ColourFamily::rgb, 8, 0, 0, true}, "qtrle", "argb"},
             Case{PixelFormat{ColourFamily::yuv, 8, 1, 1, true}, "libvpx-vp9", "yuva420p"},
             Case{yuv(10, 1, 1), "h264_nvenc", "p010le"},
             Case{yuv(8, 1, 1), "h264_nvenc", "yuv420p"},
             Case{yuv(10, 1, 1), "hevc_vaapi", "p010le"},
             Case{yuv(8, 0, 0), "h264_vaapi", "nv12"},
         }) {
        const AVCodec* codec = avcodec_find_encoder_by_name(c.encoder);
        if (codec == nullptr) {
            continue;
        }
        const EncoderFormat chosen = choose_encoder_format(*codec, c.source);
        EXPECT_STREQ(av_get_pix_fmt_name(chosen.input), c.expected) << c.encoder << " " << describe_format(c.source);
        EXPECT_EQ(chosen.format.alpha, c.source.alpha);
    }
}

TEST_F(ChooseEncoder, says_what_it_cannot_keep) {
    choose(source_of({ColourFamily::yuv, 12, 1, 1, true}));
    EXPECT_THAT(notes_, Contains(HasSubstr("alpha")));
    EXPECT_THAT(notes_, Contains(AllOf(HasSubstr("yuv420p12"), HasSubstr("yuv420p10"))));

    const EncoderSettings rgb = choose(source_of({ColourFamily::rgb, 8, 0, 0, false}));
    EXPECT_THAT(notes_, Contains(AllOf(HasSubstr("RGB"), HasSubstr("BT.709"))));
    EXPECT_EQ(rgb.colour.matrix, 1);
    EXPECT_FALSE(rgb.colour.full_range);
}

TEST_F(ChooseEncoder, tags_the_matrix_that_is_assumed_for_the_sources_height) {
    SourceInfo source = source_of({}, 640, 480);
    source.streams[0].video->colour = {};
    const EncoderSettings sd = choose(source);   // 960 lines out
    EXPECT_EQ(sd.colour.matrix, 6) << "an enlarged SD picture is still BT.601";
    EXPECT_EQ(sd.colour.primaries, 2);
    EXPECT_THAT(notes_, Contains(AllOf(HasSubstr("BT.601"), HasSubstr("480"))));

    SourceInfo hd = source_of({}, 1280, 720);
    hd.streams[0].video->colour = {};
    EXPECT_EQ(choose(hd).colour.matrix, 1);

    SourceInfo said = source_of({ColourFamily::yuv, 10, 1, 1, false});
    said.streams[0].video->colour = {9, 9, 16, false, ChromaLocation::top_left};
    EXPECT_EQ(choose(said).colour, said.streams[0].video->colour);
    EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(ChooseEncoder, keeps_the_display_aspect) {
    SourceInfo source = source_of({}, 720, 480);
    source.streams[0].video->sample_aspect = {32, 27};
    EXPECT_EQ(choose(source).sample_aspect, (Rational{32, 27}));
    EXPECT_EQ(choose_encoder(options_, source, {1280, 720}, kPlenty, notes_).sample_aspect, (Rational{1, 1}));
    source.streams[0].video->sample_aspect = {0, 1};
    EXPECT_EQ(choose(source).sample_aspect, (Rational{0, 1})) << "unknown stays unknown";
    EXPECT_EQ(choose_encoder(options_, source_of({}, 853, 480), {1280, 720}, kPlenty, notes_).sample_aspect,
              (Rational{0, 1}))
        << "rounding is no change of shape";
}

TEST_F(ChooseEncoder, takes_a_plausible_rate_from_whatever_the_container_says) {
    SourceInfo source = source_of({});
    source.streams[0].video->average_rate = {30000, 1001};
    EXPECT_EQ(choose(source).frame_rate, (Rational{30000, 1001}));
    source.streams[0].video->average_rate = {0, 1};
    EXPECT_EQ(choose(source).frame_rate, (Rational{25, 1}));
    source.streams[0].video->nominal_rate = {90000, 1};
    EXPECT_EQ(choose(source).frame_rate, (Rational{25, 1}));
    source.streams[0].video->average_rate = {2500000000, 83416667};
    EXPECT_NEAR(choose(source).frame_rate.value(), 29.97, 0.01);
    EXPECT_LE(choose(source).frame_rate.num, 60000);
}

TEST_F(ChooseEncoder, refuses_unknown_codecs_and_encoders) {
    options_.codec = "h263";
    EXPECT_THAT(refusal("h263"), HasSubstr("hevc"));
    options_.codec = "h264";
    options_.encoder = "libx269";
    refusal("libx269");
    options_.encoder = "aac";
    refusal("aac");
}

TEST_F(ChooseEncoder, refuses_containers_that_cannot_hold_the_codec) {
    options_.output = "out.webm";
    EXPECT_THAT(refusal("out.webm"), AllOf(HasSubstr("cannot hold h264"), HasSubstr(".mp4"), HasSubstr("av1")));
    options_.output = "out.mov";
    options_.codec = "av1";
    EXPECT_THAT(refusal("out.mov"), HasSubstr(".mkv"));
    options_.output = "out.avi";
    EXPECT_THAT(refusal("out.avi"), AllOf(HasSubstr(".mp4"), HasSubstr(".webm")));
    options_.output = "out";
    EXPECT_THAT(refusal("out"), HasSubstr("no extension"));
}

TEST_F(ChooseEncoder, refuses_options_the_encoder_does_not_take_and_names_them) {
    const auto with = [&](const char* encoder, std::pair<std::string, std::string> option) {
        options_.encoder = encoder;
        options_.encoder_options = {std::move(option)};
    };
    with("libx264", {"colour-of-the-sky", "blue"});
    refusal("colour-of-the-sky");
    with("libx264", {"crf", "soft"});
    EXPECT_THAT(refusal("crf"), HasSubstr("soft"));
    with("libx264", {"tune", "speed"});
    refusal("tune=speed");
    with("libx264", {"x264-params", "no-such-thing=1"});
    refusal("no-such-thing");
    with("libx264", {"x264-params", "subme=eleven"});
    refusal("subme");
    with("libx265", {"x265-params", "no-such-thing=1"});
    refusal("no-such-thing");
    with("libsvtav1", {"svtav1-params", "no-such-thing=1"});
    refusal("no-such-thing");
    with("libsvtav1", {"crf", "90"});
    refusal("crf");
    options_.encoder_options.clear();
    options_.encoder = "libx264";
    options_.preset = "warp";
    EXPECT_THAT(refusal("warp"), HasSubstr("ultrafast, superfast"));
    options_.encoder = "libsvtav1";
    refusal("warp");
}

TEST_F(ChooseEncoder, takes_the_users_options_last) {
    options_.encoder_options = {{"crf", "30"}, {"x264-params", "keyint=7:ref=2"}, {"bf", "1"}};
    const EncoderSettings settings = choose(source_of({}));
    EXPECT_EQ(settings.extra, options_.encoder_options);
    EXPECT_EQ(settings.references, 2) << "known to the memory model";
    EXPECT_EQ(settings.b_frames, 1);
    const auto list = encoder_options(settings, *avcodec_find_encoder_by_name("libx264"));
    ASSERT_GE(list.size(), 3U);
    EXPECT_EQ(list[list.size() - 2].first, "crf");
    EXPECT_EQ(list.back().first, "bf");

    options_.encoder = "libx265";
    options_.encoder_options = {{"x265-params", "log-level=error:pools=3"}};
    const EncoderSettings x265 = choose(source_of({}));
    EXPECT_EQ(x265.threads, 3);
    const auto merged = encoder_options(x265, *avcodec_find_encoder_by_name("libx265"));
    EXPECT_EQ(merged.back().second, "log-level=none:pools=3:log-level=error:pools=3") << "joined, theirs last";
}

TEST_F(ChooseEncoder, refuses_device_encoders_that_have_no_device_here) {
    for (const char* encoder : {"h264_nvenc", "h264_vaapi"}) {
        if (avcodec_find_encoder_by_name(encoder) == nullptr) {
            continue;
        }
        options_.encoder = encoder;
        try {
            choose(source_of({}));   // it may exist on this machine
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.what(), HasSubstr(encoder));
        }
    }
}

TEST_F(ChooseEncoder, runs_any_software_encoder_by_name) {
    for (const char* encoder : {"libvpx-vp9", "ffv1", "mpeg4", "libaom-av1"}) {
        if (avcodec_find_encoder_by_name(encoder) == nullptr) {
            continue;
        }
        options_.encoder = encoder;
        EXPECT_EQ(choose(source_of({}, 64, 64)).encoder, encoder);
    }
}

TEST_F(ChooseEncoder, lowers_lookahead_then_threads_then_references_until_it_fits) {
    const SourceInfo source = source_of({}, 1920, 1080);
    EncoderSettings settings = choose(source);
    settings.threads = 8;
    const std::uint64_t full = encoder_memory(settings);
    std::vector<std::string> notes;
    EncoderSettings little = settings;
    fit_into_memory(little, full * 8 / 10, notes);
    EXPECT_LT(little.lookahead, 40);
    EXPECT_EQ(little.threads, 8);
    EXPECT_EQ(notes.size(), 1U);
    EXPECT_THAT(notes[0], AllOf(HasSubstr("lookahead"), HasSubstr("40"), HasSubstr("iB")));
    EXPECT_LE(encoder_memory(little), full * 8 / 10);

    notes.clear();
    EncoderSettings less = settings;
    fit_into_memory(less, full * 3 / 10, notes);
    EXPECT_EQ(less.lookahead, 0);
    EXPECT_LT(less.threads, 8);
    EXPECT_EQ(less.references, -1);
    EXPECT_EQ(notes.size(), 2U);

    notes.clear();
    EncoderSettings least = settings;
    fit_into_memory(least, 1, notes);
    EXPECT_EQ(least.lookahead, 0);
    EXPECT_EQ(least.threads, 1);
    EXPECT_EQ(least.b_frames, 0);
    EXPECT_EQ(least.references, 1);
    EXPECT_EQ(notes.size(), 5U);
    EXPECT_THAT(notes.back(), HasSubstr("more than the"));
    EXPECT_NO_THROW(choose(source, 1)) << "whether to refuse is the planner's";
}

TEST_F(ChooseEncoder, does_not_touch_what_the_user_has_fixed) {
    options_.encoder_options = {{"rc-lookahead", "30"}, {"threads", "2"}};
    const EncoderSettings settings = choose(source_of({}), 1);
    EXPECT_EQ(settings.lookahead, 30);
    EXPECT_EQ(settings.threads, 2);
    EXPECT_EQ(settings.references, 1);
}

TEST_F(ChooseEncoder, fits_8k_into_1_1_GiB) {
    constexpr std::uint64_t kBudget = std::uint64_t{1100} << 20;
    const EncoderSettings settings = choose(source_of({}, 3840, 2160), kBudget);
    EXPECT_EQ(settings.width, 7680);
    EXPECT_LE(encoder_memory(settings), kBudget);
}

TEST(EncoderMemory, grows_with_everything_that_takes_memory) {
    for (const char* encoder : {"libx264", "libx265", "libsvtav1", "ffv1"}) {
        EncoderSettings base;
        base.encoder = encoder;
        base.preset = std::string(encoder) == "libsvtav1" ? "8" : "medium";
        base.width = 1280;
        base.height = 720;
        base.threads = 2;
        const std::uint64_t bytes = encoder_memory(base);
        const auto expect_more = [&](const char* what, const std::function<void(EncoderSettings&)>& change) {
            EncoderSettings more = base;
            change(more);
            EXPECT_GT(encoder_memory(more), bytes) << encoder << ": " << what;
        };
        expect_more("size", [](EncoderSettings& s) { s.width = 1920; });
        expect_more("depth", [](EncoderSettings& s) { s.format.depth = 10; });
        expect_more("threads", [](EncoderSettings& s) { s.threads = 8; });
        if (std::string(encoder) == "libx264" || std::string(encoder) == "libx265") {
            expect_more("chroma", [](EncoderSettings& s) { s.format.chroma_shift_x = s.format.chroma_shift_y = 0; });
            expect_more("lookahead", [](EncoderSettings& s) { s.lookahead = 60; });
            expect_more("references", [](EncoderSettings& s) { s.references = 8; });
            expect_more("B-frames", [](EncoderSettings& s) { s.b_frames = 8; });
            expect_more("preset", [](EncoderSettings& s) { s.preset = "slow"; });
        }
    }
}

TEST(PredictedBytes, lie_above_what_real_clips_take_and_fall_with_quality) {
    EncoderSettings settings;
    settings.encoder = "libx264";
    settings.width = 720;
    settings.height = 480;
    settings.frame_rate = {30, 1};
    // A hand-held 720x480 clip (crystal.mp4) at crf 18: 0.264 bits a pixel.
    EXPECT_GT(predicted_video_bytes_per_s(settings), 720 * 480 * 30 * 0.264 / 8);
    EncoderSettings coarse = settings;
    coarse.crf = 30;
    EXPECT_NEAR(predicted_video_bytes_per_s(coarse), predicted_video_bytes_per_s(settings) / 4, 1);
    EncoderSettings lossless = settings;
    lossless.crf = -100;
    EXPECT_LE(predicted_video_bytes_per_s(lossless), 720 * 480 * 30 * 1.5 + 1);
}

TEST(Containers, are_known_by_extension_in_either_case) {
    EXPECT_EQ(container_for("a/b.mp4"), "mp4");
    EXPECT_EQ(container_for("b.MOV"), "mov");
    EXPECT_EQ(container_for("x.y.mkv"), "matroska");
    EXPECT_EQ(container_for("b.WebM"), "webm");
    EXPECT_THROW(container_for("b.ts"), Error);
}

TEST(Containers, say_what_they_cannot_hold_and_what_can) {
    const auto why = [](const char* container, const char* codec, StreamKind kind = StreamKind::audio) {
        StreamInfo stream;
        stream.kind = kind;
        stream.codec = codec;
        return cannot_hold(container, stream);
    };
    for (const char* codec : {"aac", "mp3", "opus", "flac", "ac3", "eac3", "alac"}) {
        EXPECT_EQ(why("mp4", codec), "") << codec;
        EXPECT_EQ(why("matroska", codec), "") << codec;
    }
    EXPECT_EQ(why("mov", "pcm_s16le"), "");
    EXPECT_EQ(why("matroska", "pcm_s24le"), "");
    EXPECT_EQ(why("webm", "opus"), "");
    EXPECT_THAT(why("mov", "opus"), AllOf(HasSubstr(".mov cannot hold opus"), HasSubstr(".mp4")));
    EXPECT_THAT(why("webm", "aac"), AllOf(HasSubstr(".mkv"), Not(HasSubstr(".webm;"))));
    EXPECT_THAT(why("mp4", "ass", StreamKind::subtitle), HasSubstr(".mkv"));
    EXPECT_EQ(why("mp4", "mov_text", StreamKind::subtitle), "");
    EXPECT_THAT(why("mp4", "unknown"), HasSubstr("unknown"));
}

}   // namespace
}   // namespace millstream
