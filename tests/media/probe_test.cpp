// What probe() says of good files, and why it refuses bad ones.
#include "media/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <string>

#include "media/synthetic_file.h"
#include "media/temporary_folder.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using ::testing::HasSubstr;
using testing::SyntheticAudio;
using testing::SyntheticFile;
using testing::SyntheticVideo;

class Probe : public ::testing::Test {
protected:
    static SyntheticVideo video(int frames = 12) {
        SyntheticVideo result;
        result.pts = testing::constant_rate(frames, 512);
        return result;
    }

    // The refusal: its kind is checked, its text is given back.
    static std::string refusal(const std::filesystem::path& path, std::optional<int> stream = {}) {
        try {
            probe(path, stream);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_FALSE(error.context().doing.empty());
            EXPECT_THAT(error.context().subject, HasSubstr(path.filename().string()));
            EXPECT_FALSE(error.context().why.empty());
            EXPECT_FALSE(error.context().hint.empty());
            EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one paragraph";
            return error.what();
        }
        ADD_FAILURE() << path << " was taken";
        return "";
    }

    testing::TemporaryFolder folder_;
};

TEST_F(Probe, describes_every_stream_of_a_file) {
    SyntheticVideo first = video(30);
    first.sample_aspect = {32, 27};
    first.language = "fra";
    first.tag_colour = true;
    first.colour = {1, 1, 1, false, ChromaLocation::left};
    SyntheticAudio audio;
    audio.language = "deu";
    audio.title = "Commentary";
    audio.sample_rate = 44100;
    audio.channels = 1;
    testing::write_file(folder_ / "good.mkv", "matroska", {{first}, {audio}});

    const SourceInfo source = probe(folder_ / "good.mkv");
    ASSERT_EQ(source.streams.size(), 2U);
    EXPECT_EQ(source.container, "matroska,webm");
    EXPECT_EQ(source.bytes, std::filesystem::file_size(folder_ / "good.mkv"));
    EXPECT_EQ(source.video_stream, 0);
    EXPECT_EQ(source.video().codec, "h264");
    EXPECT_EQ(source.video().language, "fra");
    const VideoStreamInfo& stream = *source.video().video;
    EXPECT_EQ(stream.width, 96);
    EXPECT_EQ(stream.height, 64);
    EXPECT_EQ(stream.pixel_format_name, "yuv420p");
    EXPECT_EQ(stream.format, PixelFormat{});
    EXPECT_EQ(stream.colour, first.colour);
    EXPECT_EQ(stream.sample_aspect, (Rational{32, 27}));
    EXPECT_NEAR(stream.average_rate.value(), 30, 0.5);
    EXPECT_NEAR(static_cast<double>(stream.frames), 30, 31) << "Matroska only knows the duration";
    const StreamInfo& sound = source.streams[1];
    EXPECT_EQ(sound.kind, StreamKind::audio);
    EXPECT_EQ(sound.codec, "aac");
    EXPECT_EQ(sound.channels, 1);
    EXPECT_EQ(sound.sample_rate, 44100);
    EXPECT_EQ(sound.language, "deu");
    EXPECT_EQ(sound.title, "Commentary");
}

TEST_F(Probe, counts_frames_from_the_index_of_an_mp4) {
    testing::write_file(folder_ / "good.mp4", "mp4", {{video(17)}, {}});
    EXPECT_EQ(probe(folder_ / "good.mp4").video().video->frames, 17);
}

TEST_F(Probe, takes_size_format_and_colour_from_the_pictures) {
    for (const auto& [format, expected] :
         {std::pair{AV_PIX_FMT_YUV422P10, PixelFormat{ColourFamily::yuv, 10, 1, 0, false}},
          std::pair{AV_PIX_FMT_YUVJ420P, PixelFormat{}},
          std::pair{AV_PIX_FMT_YUV444P, PixelFormat{ColourFamily::yuv, 8, 0, 0, false}},
          std::pair{AV_PIX_FMT_GRAY8, PixelFormat{ColourFamily::gray, 8, 0, 0, false}}}) {
        SyntheticVideo other = video();
        other.format = format;
        other.width = 97;
        other.height = 65;
        if (format == AV_PIX_FMT_GRAY8) {   // FFmpeg decodes gray H.264 as 4:2:0
            other.encoder = "ffv1";
            other.settings = {};
        } else if (format != AV_PIX_FMT_YUV444P) {
            other.width = 98;   // x264 takes odd sizes only without subsampling
            other.height = 66;
        }
        testing::write_file(folder_ / "other.mkv", "matroska", {{other}, {}});
        const VideoStreamInfo stream = *probe(folder_ / "other.mkv").video().video;
        EXPECT_EQ(stream.format, expected) << av_get_pix_fmt_name(format);
        EXPECT_EQ(stream.width, other.width);
        EXPECT_EQ(stream.height, other.height);
        EXPECT_EQ(stream.colour.full_range, format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_GRAY8);
    }
}

TEST_F(Probe, says_full_range_of_rgb_and_of_gray_stills_and_limited_of_silent_video) {
    for (const auto& [format, full] : {std::pair{AV_PIX_FMT_RGB24, true}, std::pair{AV_PIX_FMT_GRAY8, true}}) {
        SyntheticVideo still = video(1);
        still.encoder = "png";
        still.settings = {};
        still.format = format;
        testing::write_file(folder_ / "still.mov", "mov", {{still}, {}});
        EXPECT_EQ(probe(folder_ / "still.mov").video().video->colour.full_range, full);
    }
    testing::write_file(folder_ / "silent.mp4", "mp4", {{video()}, {}});
    EXPECT_FALSE(probe(folder_ / "silent.mp4").video().video->colour.full_range);
}

TEST_F(Probe, chooses_the_first_video_or_the_one_asked_for) {
    SyntheticVideo second = video();
    second.width = 64;
    testing::write_file(folder_ / "two.mkv", "matroska", {{video(), second}, {SyntheticAudio{}}});
    EXPECT_EQ(probe(folder_ / "two.mkv").video_stream, 0);
    EXPECT_EQ(probe(folder_ / "two.mkv", 1).video().video->width, 64);
    EXPECT_THAT(refusal(folder_ / "two.mkv", 2), HasSubstr("stream 2 is no video"));
    EXPECT_THAT(refusal(folder_ / "two.mkv", 3), HasSubstr("no stream 3"));
    EXPECT_THAT(refusal(folder_ / "two.mkv", -1),
                HasSubstr("its streams are: 0 video h264, 1 video h264, 2 audio aac"));
}

TEST_F(Probe, takes_file_names_that_look_like_options_urls_or_patterns) {
    for (const char* name : {"-y.mp4", "http:x.mp4", "frame%03d.mp4", "a b & 'c' \xe6\x97\xa5.mp4", "concat:a|b.mp4"}) {
        testing::write_file(folder_ / name, "mp4", {{video()}, {}});
        EXPECT_EQ(probe(folder_ / name).video().video->frames, 12) << name;
    }
}

TEST_F(Probe, takes_a_still_picture_as_a_video_of_one_frame) {
    SyntheticVideo still = video(1);
    still.encoder = "png";
    still.settings = {};
    still.format = AV_PIX_FMT_RGB24;
    testing::write_file(folder_ / "photo%03d.png", "image2pipe", {{still}, {}});
    const SourceInfo source = probe(folder_ / "photo%03d.png");
    EXPECT_EQ(source.video().codec, "png");
    EXPECT_EQ(source.video().video->format.family, ColourFamily::rgb);
}

TEST_F(Probe, refuses_what_is_no_file) {
    EXPECT_THAT(refusal(folder_ / "missing.mp4"), HasSubstr("no such file"));
    EXPECT_THAT(refusal(folder_.path()), HasSubstr("folder"));
    ASSERT_EQ(mkfifo((folder_ / "pipe.mp4").c_str(), 0600), 0);
    EXPECT_THAT(refusal(folder_ / "pipe.mp4"), HasSubstr("no regular file")) << "and does not wait for it";
    testing::write_bytes(folder_ / "empty.mp4", {});
    EXPECT_THAT(refusal(folder_ / "empty.mp4"), HasSubstr("0 bytes"));
}

TEST_F(Probe, refuses_what_is_no_video) {
    const std::string text(4000, 'x');
    testing::write_bytes(folder_ / "text.mp4", {text.begin(), text.end()});
    EXPECT_THAT(refusal(folder_ / "text.mp4"), HasSubstr("no video format"));

    testing::write_file(folder_ / "sound.mp4", "mp4", {std::vector<SyntheticVideo>{}, {SyntheticAudio{}}});
    EXPECT_THAT(refusal(folder_ / "sound.mp4"), HasSubstr("no video stream"));

    SyntheticVideo cover = video(1);
    cover.encoder = "mjpeg";
    cover.settings = {};
    cover.format = AV_PIX_FMT_YUVJ420P;
    SyntheticFile file{{cover}, {SyntheticAudio{}}};
    file.cover_art = true;
    testing::write_file(folder_ / "cover.mp4", "mp4", file);
    EXPECT_THAT(refusal(folder_ / "cover.mp4"), HasSubstr("cover picture"));
    EXPECT_THAT(refusal(folder_ / "cover.mp4", 0), HasSubstr("is no video"));
}

TEST_F(Probe, refuses_scripts_and_playlists_and_never_follows_them) {
    testing::write_file(folder_ / "good.mp4", "mp4", {{video()}, {}});
    const std::string script = "ffconcat version 1.0\nfile good.mp4\n";
    testing::write_bytes(folder_ / "script.mp4", {script.begin(), script.end()});
    EXPECT_THAT(refusal(folder_ / "script.mp4"), HasSubstr("'concat'"));
    const std::string playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\ngood.mp4\n#EXT-X-ENDLIST\n";
    testing::write_bytes(folder_ / "playlist.mp4", {playlist.begin(), playlist.end()});
    EXPECT_THAT(refusal(folder_ / "playlist.mp4"), HasSubstr("playlist"));
    const std::string ansi = "hello \x1b[31m world\n";
    testing::write_bytes(folder_ / "text.ans", {ansi.begin(), ansi.end()});
    refusal(folder_ / "text.ans");
}

TEST_F(Probe, says_that_an_mp4_was_cut_before_its_index) {
    testing::write_file(folder_ / "good.mp4", "mp4", {{video(200)}, {SyntheticAudio{}}});
    auto bytes = testing::read_bytes(folder_ / "good.mp4");
    bytes.resize(bytes.size() / 2);
    testing::write_bytes(folder_ / "cut.mp4", bytes);
    const std::string why = refusal(folder_ / "cut.mp4");
    EXPECT_THAT(why, HasSubstr("moov atom not found"));
    EXPECT_THAT(why, HasSubstr("cut off"));
}

TEST_F(Probe, refuses_pictures_beyond_the_limit_before_a_decoder_allocates_them) {
    // A PNG header that promises 100000x100000 pixels (40 GB), CRC as zlib computes it, and no data worth the name.
    SyntheticVideo still = video(1);
    still.encoder = "png";
    still.settings = {};
    still.format = AV_PIX_FMT_RGB24;
    testing::write_file(folder_ / "small.png", "image2pipe", {{still}, {}});
    auto bytes = testing::read_bytes(folder_ / "small.png");
    ASSERT_GT(bytes.size(), 33U);
    for (const std::size_t at : {16U, 20U}) {   // IHDR: width and height, big-endian
        bytes[at] = 0;
        bytes[at + 1] = 1;
        bytes[at + 2] = 0x86;
        bytes[at + 3] = 0xa0;
    }
    testing::write_bytes(folder_ / "huge.png", bytes);
    refusal(folder_ / "huge.png");
}

TEST_F(Probe, believes_the_pictures_when_the_container_lies_about_the_size) {
    testing::write_file(folder_ / "good.mp4", "mp4", {{video()}, {}});
    auto bytes = testing::read_bytes(folder_ / "good.mp4");
    const std::string avc1 = "avc1";
    const auto entry = std::search(bytes.begin() + 40, bytes.end(), avc1.begin(), avc1.end());
    ASSERT_NE(entry, bytes.end());
    std::fill_n(entry + 4 + 24, 4, std::uint8_t{0xff});   // VisualSampleEntry: width and height, ISO 14496-12
    testing::write_bytes(folder_ / "lies.mp4", bytes);
    const VideoStreamInfo stream = *probe(folder_ / "lies.mp4").video().video;
    EXPECT_EQ(stream.width, 96);
    EXPECT_EQ(stream.height, 64);
}

TEST_F(Probe, refuses_a_file_of_which_nothing_can_be_decoded) {
    testing::write_file(folder_ / "good.mkv", "matroska", {{video(30)}, {}});
    auto bytes = testing::read_bytes(folder_ / "good.mkv");
    for (std::size_t i = 900; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(i * 131 >> 3);
    }
    testing::write_bytes(folder_ / "noise.mkv", bytes);
    refusal(folder_ / "noise.mkv");
}

TEST(Version, names_ffmpeg_and_its_libraries) {
    EXPECT_THAT(ffmpeg_version(), HasSubstr("FFmpeg "));
    EXPECT_THAT(ffmpeg_version(), HasSubstr("libavcodec "));
}

}   // namespace
}   // namespace millstream
