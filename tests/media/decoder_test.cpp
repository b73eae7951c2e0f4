// Every frame, its time stamp, its planes; and what happens when the file is damaged.
#include "media/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
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

struct Decoded {
    std::vector<std::int64_t> pts;
    std::vector<std::uint64_t> hashes;
    DecodeStatistics statistics;
};

Decoded decode(const std::filesystem::path& path, const DecoderSettings& settings = {}) {
    VideoDecoder decoder(probe(path), settings);
    Decoded result;
    while (const auto picture = decoder.next()) {
        if (!result.pts.empty()) {
            EXPECT_GT(picture->pts, result.pts.back());
        }
        result.pts.push_back(picture->pts);
        result.hashes.push_back(testing::hash(*picture));
    }
    EXPECT_FALSE(decoder.next()) << "the end stays the end";
    result.statistics = decoder.statistics();
    EXPECT_EQ(result.statistics.frames, static_cast<std::int64_t>(result.pts.size()));
    return result;
}

class Decoder : public ::testing::Test {
protected:
    static SyntheticVideo video(int frames) {
        SyntheticVideo result;
        result.pts = testing::constant_rate(frames, 512);
        return result;
    }

    testing::TemporaryFolder folder_;
};

TEST_F(Decoder, gives_every_frame_with_its_own_time_stamp) {
    struct Case {
        const char* container;
        AVRational time_base;
        bool variable;
        bool reordered;
    };
    for (const Case& c : {Case{"mp4", {1, 15360}, false, false}, Case{"mp4", {1, 15360}, true, true},
                          Case{"matroska", {1, 1000}, false, true}, Case{"matroska", {1, 1000}, true, false},
                          Case{"mpegts", {1, 90000}, false, true}, Case{"mov", {1, 30000}, true, true}}) {
        SCOPED_TRACE(std::string(c.container) + (c.variable ? " variable" : " constant") + (c.reordered ? " B" : ""));
        SyntheticVideo made = video(0);
        made.time_base = c.time_base;
        const std::int64_t step = c.time_base.den / 25;
        made.pts = c.variable ? testing::variable_rate(50, step) : testing::constant_rate(50, step);
        if (c.reordered) {
            made.settings = testing::with_b_frames();
        }
        const auto path = folder_ / "video";
        testing::write_file(path, c.container, {{made}, {SyntheticAudio{}}});
        const Decoded decoded = decode(path);
        ASSERT_EQ(decoded.pts.size(), made.pts.size());
        const std::int64_t start = decoded.pts.front();
        for (std::size_t i = 0; i < made.pts.size(); ++i) {
            EXPECT_EQ(decoded.pts[i] - start, made.pts[i]) << i;
        }
        EXPECT_EQ(std::set(decoded.hashes.begin(), decoded.hashes.end()).size(), 50U) << "all different";
        EXPECT_EQ(decoded.statistics.corrupt_packets, 0);
        EXPECT_EQ(decoded.statistics.repaired_pts, 0);
        EXPECT_EQ(decoded.statistics.concealed_frames, 0);
        EXPECT_FALSE(decoded.statistics.truncated);
    }
}

TEST_F(Decoder, gives_the_same_frames_whatever_the_number_of_threads) {
    SyntheticVideo made = video(40);
    made.settings = testing::with_b_frames();
    testing::write_file(folder_ / "b.mp4", "mp4", {{made}, {}});
    const Decoded one = decode(folder_ / "b.mp4", {.threads = 1, .hwaccel = ""});
    ASSERT_EQ(one.pts.size(), 40U);
    for (const int threads : {0, 2, 5}) {
        const Decoded many = decode(folder_ / "b.mp4", {.threads = threads, .hwaccel = ""});
        EXPECT_EQ(many.pts, one.pts);
        EXPECT_EQ(many.hashes, one.hashes);
    }
}

TEST_F(Decoder, hands_out_pictures_of_the_probed_format_whatever_the_codec_gives) {
    struct Case {
        AVPixelFormat format;
        const char* encoder;
        const char* container;
    };
    for (const Case& c : {Case{AV_PIX_FMT_YUV420P10, "libx264", "mp4"}, Case{AV_PIX_FMT_YUV422P, "libx264", "mp4"},
                          Case{AV_PIX_FMT_YUV444P10, "libx264", "matroska"}, Case{AV_PIX_FMT_GRAY8, "ffv1", "matroska"},
                          Case{AV_PIX_FMT_RGB24, "png", "mov"}, Case{AV_PIX_FMT_RGBA, "png", "mov"},
                          Case{AV_PIX_FMT_RGB48BE, "png", "mov"}, Case{AV_PIX_FMT_YA8, "png", "mov"},
                          Case{AV_PIX_FMT_GBRP10, "ffv1", "matroska"}, Case{AV_PIX_FMT_YUV410P, "ffv1", "matroska"},
                          Case{AV_PIX_FMT_YUV420P16, "ffv1", "matroska"}, Case{AV_PIX_FMT_YUVJ422P, "mjpeg", "mov"},
                          Case{AV_PIX_FMT_UYVY422, "rawvideo", "mov"}, Case{AV_PIX_FMT_NV12, "rawvideo", "nut"}}) {
        SCOPED_TRACE(std::string(c.encoder) + " " + av_get_pix_fmt_name(c.format));
        SyntheticVideo made = video(6);
        made.time_base = {1, 25};
        made.pts = testing::constant_rate(6, 1);
        made.format = c.format;
        made.encoder = c.encoder;
        made.settings = std::string(c.encoder) == "libx264" ? made.settings : testing::Settings{};
        testing::write_file(folder_ / "format", c.container, {{made}, {}});
        const SourceInfo source = probe(folder_ / "format");
        const VideoStreamInfo& info = *source.video().video;
        VideoDecoder decoder(source, {});
        int frames = 0;
        while (const auto picture = decoder.next()) {
            ++frames;
            EXPECT_EQ(picture->format, info.format);
            EXPECT_EQ(picture->colour, info.colour);
            EXPECT_EQ(picture->width, 96);
            EXPECT_EQ(picture->height, 64);
            EXPECT_NE(picture->owner, nullptr);
            for (int plane = 0; plane < picture->format.planes(); ++plane) {
                const Plane& p = picture->planes[static_cast<std::size_t>(plane)];
                EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p.data) % kPlaneAlignment, 0U);
                EXPECT_EQ(static_cast<std::size_t>(p.stride) % kPlaneAlignment, 0U);
                EXPECT_GE(p.stride, picture->format.plane_width(plane, 96) * picture->format.bytes_per_sample());
            }
        }
        EXPECT_EQ(frames, 6);
        EXPECT_EQ(decoder.statistics().resized_frames, 0);
    }
}

TEST_F(Decoder, keeps_pictures_alive_after_it_is_gone) {
    testing::write_file(folder_ / "video.mp4", "mp4", {{video(10)}, {}});
    std::vector<Picture> pictures;
    std::vector<std::uint64_t> hashes;
    {
        VideoDecoder decoder(probe(folder_ / "video.mp4"), {});
        while (auto picture = decoder.next()) {
            hashes.push_back(testing::hash(*picture));
            pictures.push_back(std::move(*picture));
        }
    }
    ASSERT_EQ(pictures.size(), 10U);
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        EXPECT_EQ(testing::hash(pictures[i]), hashes[i]);
    }
}

TEST_F(Decoder, repairs_and_counts_repeated_time_stamps) {
    SyntheticVideo made = video(0);
    made.encoder = "ffv1";   // passes any time stamp through
    made.settings = {};
    made.time_base = {1, 1000};
    made.pts = {0, 40, 40, 80, 80, 120};
    testing::write_file(folder_ / "repeated.mkv", "matroska", {{made}, {}});
    const Decoded decoded = decode(folder_ / "repeated.mkv");
    EXPECT_EQ(decoded.pts, (std::vector<std::int64_t>{0, 40, 41, 80, 81, 120}));
    EXPECT_EQ(decoded.statistics.repaired_pts, 2);
}

TEST_F(Decoder, makes_one_time_line_of_a_transport_stream_whose_clock_jumps_back) {
    SyntheticFile late{{video(25)}, {}};
    late.videos[0].time_base = {1, 90000};
    late.videos[0].pts = testing::constant_rate(25, 3600);
    late.shift_s = 60;
    SyntheticFile early = late;
    early.shift_s = 5;
    testing::write_file(folder_ / "late.ts", "mpegts", late);
    testing::write_file(folder_ / "early.ts", "mpegts", early);
    auto bytes = testing::read_bytes(folder_ / "late.ts");
    const auto more = testing::read_bytes(folder_ / "early.ts");
    bytes.insert(bytes.end(), more.begin(), more.end());
    testing::write_bytes(folder_ / "jump.ts", bytes);
    const Decoded decoded = decode(folder_ / "jump.ts");
    ASSERT_EQ(decoded.pts.size(), 50U);
    for (std::size_t i = 1; i < 50; ++i) {
        EXPECT_EQ(decoded.pts[i] - decoded.pts[i - 1], 3600) << i;
    }
    EXPECT_EQ(decoded.statistics.repaired_pts, 0);
}

TEST_F(Decoder, brings_frames_of_another_size_to_the_first_size_and_counts_them) {
    std::vector<std::uint8_t> bytes;
    for (const auto& [width, height] : {std::pair{96, 64}, std::pair{64, 64}, std::pair{192, 128}}) {
        SyntheticFile part{{video(10)}, {}};
        part.videos[0].width = width;
        part.videos[0].height = height;
        part.videos[0].time_base = {1, 90000};
        part.videos[0].pts = testing::constant_rate(10, 3600);
        part.shift_s = static_cast<double>(bytes.size() > 0) * 0.4 + (width > 100 ? 0.4 : 0);
        testing::write_file(folder_ / "part.ts", "mpegts", part);
        const auto more = testing::read_bytes(folder_ / "part.ts");
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    testing::write_bytes(folder_ / "sizes.ts", bytes);
    VideoDecoder decoder(probe(folder_ / "sizes.ts"), {});
    int frames = 0;
    int with_borders = 0;
    while (const auto picture = decoder.next()) {
        ASSERT_EQ(picture->width, 96);
        ASSERT_EQ(picture->height, 64);
        with_borders += picture->planes[0].data[32 * picture->planes[0].stride] == std::byte{16} ? 1 : 0;
        ++frames;
    }
    EXPECT_EQ(frames, 30);
    EXPECT_EQ(decoder.statistics().resized_frames, 20);
    EXPECT_EQ(with_borders, 10) << "only the square ones";
}

TEST_F(Decoder, goes_on_after_damage_and_counts_it) {
    SyntheticVideo made = video(120);
    made.width = 320;
    made.height = 240;
    made.settings = {{"preset", "veryfast"}, {"crf", "20"}, {"g", "30"}};
    testing::write_file(folder_ / "good.mp4", "mp4", {{made}, {}});
    const auto good = testing::read_bytes(folder_ / "good.mp4");
    for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
        auto bytes = good;
        std::mt19937 random(seed);
        for (int i = 0; i < 60; ++i) {   // in the payload: the index is at the end
            bytes[5000 + random() % (bytes.size() * 8 / 10 - 5000)] ^= static_cast<std::uint8_t>(1U << random() % 8);
        }
        testing::write_bytes(folder_ / "damaged.mp4", bytes);
        const Decoded decoded = decode(folder_ / "damaged.mp4");
        EXPECT_GT(decoded.pts.size(), 60U) << seed;
        EXPECT_LE(decoded.pts.size(), 120U) << seed;
        EXPECT_GT(decoded.statistics.concealed_frames + decoded.statistics.corrupt_packets, 0) << seed;
    }
}

TEST_F(Decoder, decodes_what_there_is_of_a_file_that_was_cut_and_says_so) {
    for (const auto& [container, settings] :
         {std::pair{std::string("matroska"), testing::Settings{}},
          std::pair{std::string("mp4"), testing::Settings{{"movflags", "faststart"}}}}) {
        SyntheticFile file{{video(100)}, {}};
        file.muxer_settings = settings;
        testing::write_file(folder_ / "whole", container, file);
        EXPECT_FALSE(decode(folder_ / "whole").statistics.truncated);
        auto bytes = testing::read_bytes(folder_ / "whole");
        bytes.resize(bytes.size() * 6 / 10);
        testing::write_bytes(folder_ / "cut", bytes);
        const Decoded decoded = decode(folder_ / "cut");
        EXPECT_GT(decoded.pts.size(), 10U) << container;
        EXPECT_LT(decoded.pts.size(), 100U) << container;
        EXPECT_TRUE(decoded.statistics.truncated) << container;
    }
}

TEST_F(Decoder, ends_on_any_garbage_behind_good_headers) {
    SyntheticVideo made = video(60);
    made.settings = testing::with_b_frames();
    for (const char* container : {"matroska", "mpegts", "avi", "mp4"}) {
        testing::write_file(folder_ / "good", container, {{made}, {SyntheticAudio{}}});
        const auto good = testing::read_bytes(folder_ / "good");
        for (unsigned seed = 1; seed <= 4; ++seed) {
            auto bytes = good;
            std::mt19937 random(seed);
            const std::size_t from = bytes.size() * seed / 6;
            for (std::size_t i = from; i < from + bytes.size() / 5; ++i) {
                bytes[i] = static_cast<std::uint8_t>(random());
            }
            testing::write_bytes(folder_ / "garbage", bytes);
            try {
                EXPECT_LE(decode(folder_ / "garbage").pts.size(), 70U) << container << seed;
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
            }
        }
    }
}

TEST_F(Decoder, refuses_devices_that_are_unknown_or_absent) {
    testing::write_file(folder_ / "video.mp4", "mp4", {{video(3)}, {}});
    const SourceInfo source = probe(folder_ / "video.mp4");
    for (const char* device : {"toaster", "cuda", "vaapi"}) {
        try {
            const VideoDecoder decoder(source, {.threads = 0, .hwaccel = device});
            EXPECT_STRNE(device, "toaster") << "others may exist on this machine";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(error.what(), HasSubstr(device));
            EXPECT_FALSE(error.context().why.empty());
        }
    }
}

TEST_F(Decoder, refuses_a_source_that_has_changed_since_it_was_looked_at) {
    testing::write_file(folder_ / "video.mkv", "matroska", {{video(3), video(3)}, {}});
    const SourceInfo source = probe(folder_ / "video.mkv", 1);
    testing::write_file(folder_ / "video.mkv", "matroska", {{video(3)}, {}});
    EXPECT_THROW(VideoDecoder(source, {}), Error);
}

TEST_F(Decoder, estimates_memory_that_grows_with_size_and_threads) {
    testing::write_file(folder_ / "video.mp4", "mp4", {{video(3)}, {}});
    SourceInfo source = probe(folder_ / "video.mp4");
    source.streams[0].video->width = 3840;
    source.streams[0].video->height = 2160;
    const std::uint64_t one = decoder_memory(source, 1);
    const std::uint64_t eight = decoder_memory(source, 8);
    // Measured for 2160p H.264: 70 MiB with one thread, 235 with eight (decoder_memory.cpp).
    EXPECT_GT(one, std::uint64_t{70} << 20);
    EXPECT_LT(one, std::uint64_t{350} << 20);
    EXPECT_GT(eight, std::uint64_t{235} << 20);
    EXPECT_GT(eight, one);
}

}   // namespace
}   // namespace millstream
