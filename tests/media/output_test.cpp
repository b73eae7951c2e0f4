// Round trips: what goes in comes out, at the same time, beside the same audio.
#include "media/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/faulty_files.h"
#include "media/decoder.h"
#include "media/synthetic_file.h"
#include "media/temporary_folder.h"
#include "media/video_encoder.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using ::testing::HasSubstr;
using testing::StreamContent;
using testing::SyntheticAudio;
using testing::SyntheticFile;
using testing::SyntheticVideo;

struct Result {
    std::vector<std::int64_t> pts;   // of the pictures that went in
    std::vector<std::uint64_t> hashes;
    OutputStatistics statistics;
    std::vector<std::string> notes;
};

class Output : public ::testing::Test {
protected:
    Output() {
        options_.preset = "ultrafast";
        options_.crf = 0;   // x264: lossless
    }

    static SyntheticVideo video(int frames, bool variable = false, bool reordered = false) {
        SyntheticVideo result;
        result.pts = variable ? testing::variable_rate(frames, 512) : testing::constant_rate(frames, 512);
        if (reordered) {
            result.settings = testing::with_b_frames();
        }
        return result;
    }

    static SyntheticAudio sound(double duration_s) {
        SyntheticAudio result;
        result.duration_s = duration_s;
        return result;
    }

    OutputSpec spec_for(const SourceInfo& source, const std::filesystem::path& out, std::vector<std::string>& notes) {
        options_.output = out;
        const VideoStreamInfo& info = *source.video().video;
        OutputSpec spec;
        spec.path = out.string() + ".part";
        spec.container = container_for(out);
        spec.encoder = choose_encoder(options_, source, {info.width, info.height}, std::uint64_t{1} << 40, notes);
        for (const StreamInfo& stream : source.streams) {
            const CarriageDecision decision = decide_carriage(stream, spec.container, false);
            if (stream.index != source.video_stream && decision.stream.how != Carriage::drop) {
                spec.carried.push_back(decision.stream);
            }
        }
        return spec;
    }

    // Decodes `in`, encodes the pictures as they are, finishes.
    Result transcode(const std::string& in, const std::string& out) {
        const SourceInfo source = probe(folder_ / in);
        Result result;
        const OutputSpec spec = spec_for(source, folder_ / out, result.notes);
        VideoDecoder decoder(source, {});
        VideoOutput output(spec, source);
        while (const auto picture = decoder.next()) {
            result.pts.push_back(picture->pts);
            result.hashes.push_back(testing::hash(*picture));
            output.write(*picture);
        }
        output.end();
        result.statistics = output.finish();
        std::filesystem::rename(spec.path, folder_ / out);
        EXPECT_EQ(result.statistics.frames, static_cast<std::int64_t>(result.pts.size()));
        EXPECT_EQ(result.statistics.bytes, std::filesystem::file_size(folder_ / out));
        return result;
    }

    // The pictures of `out` are those that went in, at the same times within `tolerance_s`.
    void expect_same_pictures(const Result& went_in, const std::string& in, const std::string& out, double tolerance_s,
                              bool same_pixels = true) {
        const SourceInfo before = probe(folder_ / in);
        const SourceInfo after = probe(folder_ / out);
        const double tick_before = before.video().time_base.value();
        const double tick_after = after.video().time_base.value();
        VideoDecoder decoder(after, {});
        std::size_t i = 0;
        double offset = 0;
        for (; const auto picture = decoder.next(); ++i) {
            ASSERT_LT(i, went_in.pts.size());
            const double time_before = static_cast<double>(went_in.pts[i]) * tick_before;
            const double time_after = static_cast<double>(picture->pts) * tick_after;
            offset = i == 0 ? time_after - time_before : offset;
            EXPECT_NEAR(time_after - time_before, offset, tolerance_s) << i;
            if (same_pixels) {
                EXPECT_EQ(testing::hash(*picture), went_in.hashes[i]) << i;
            }
        }
        EXPECT_EQ(i, went_in.pts.size());
        EXPECT_EQ(decoder.statistics().repaired_pts, 0);
        EXPECT_EQ(decoder.statistics().corrupt_packets, 0);
    }

    // Every audio stream of `in` is in `out`: same payloads, same times relative to the first picture.
    void expect_same_audio(const std::string& in, const std::string& out, double tolerance_s, bool filtered = false) {
        const auto before = testing::read_file(folder_ / in);
        const auto after = testing::read_file(folder_ / out);
        const double video_before = testing::sorted_times(testing::first(before, AVMEDIA_TYPE_VIDEO)).front();
        const double video_after = testing::sorted_times(testing::first(after, AVMEDIA_TYPE_VIDEO)).front();
        std::vector<const StreamContent*> from;
        std::vector<const StreamContent*> to;
        for (const StreamContent& stream : before) {
            if (stream.type == AVMEDIA_TYPE_AUDIO) {
                from.push_back(&stream);
            }
        }
        for (const StreamContent& stream : after) {
            if (stream.type == AVMEDIA_TYPE_AUDIO) {
                to.push_back(&stream);
            }
        }
        ASSERT_EQ(from.size(), to.size());
        for (std::size_t s = 0; s < from.size(); ++s) {
            EXPECT_EQ(from[s]->codec, to[s]->codec);
            ASSERT_EQ(from[s]->packets.size(), to[s]->packets.size()) << s;
            for (std::size_t i = 0; i < from[s]->packets.size(); ++i) {
                const testing::PacketInfo& a = from[s]->packets[i];
                const testing::PacketInfo& b = to[s]->packets[i];
                if (!filtered) {
                    ASSERT_EQ(a.hash, b.hash) << s << " " << i;
                }
                ASSERT_NEAR(static_cast<double>(a.pts) * av_q2d(from[s]->time_base) - video_before,
                            static_cast<double>(b.pts) * av_q2d(to[s]->time_base) - video_after, tolerance_s)
                    << s << " " << i;
            }
        }
    }

    // Lossless x264 has no B-frames.
    void reorder_output(bool reordered) {
        options_.crf = reordered ? 20 : 0;
        options_.encoder_options = {{"bf", reordered ? "3" : "0"}, {"x264-params", "b-adapt=0"}};
    }

    testing::TemporaryFolder folder_;
    Options options_;
};

TEST_F(Output, keeps_every_picture_and_its_time_exactly_in_mp4_and_mov) {
    for (const char* out : {"out.mp4", "out.mov"}) {
        for (const bool variable : {false, true}) {
            for (const bool reordered : {false, true}) {
                SCOPED_TRACE(std::string(out) + (variable ? " variable" : " constant") + (reordered ? " B" : ""));
                testing::write_file(folder_ / "in.mp4", "mp4", {{video(60, variable, reordered)}, {}});
                reorder_output(reordered);
                const Result result = transcode("in.mp4", out);
                ASSERT_EQ(result.pts.size(), 60U);
                EXPECT_EQ(probe(folder_ / out).video().time_base, (Rational{1, 15360})) << "the source's own scale";
                expect_same_pictures(result, "in.mp4", out, 1e-9, !reordered);
            }
        }
    }
}

TEST_F(Output, keeps_every_picture_and_its_time_to_the_millisecond_in_matroska) {
    for (const bool variable : {false, true}) {
        testing::write_file(folder_ / "in.mp4", "mp4", {{video(60, variable, true)}, {}});
        reorder_output(variable);
        expect_same_pictures(transcode("in.mp4", "out.mkv"), "in.mp4", "out.mkv", 0.0011, !variable);
        SyntheticVideo milliseconds = video(60);
        milliseconds.time_base = {1, 1000};
        milliseconds.pts = testing::variable_rate(60, 33);
        testing::write_file(folder_ / "in.mkv", "matroska", {{milliseconds}, {}});
        expect_same_pictures(transcode("in.mkv", "out.mkv"), "in.mkv", "out.mkv", 1e-9, !variable);
    }
}

TEST_F(Output, writes_webm_with_av1_and_vp9) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(40, true, true)}, {}});
    options_.crf = 30;
    for (const auto& [encoder, preset] : {std::pair{"libsvtav1", "12"}, std::pair{"libvpx-vp9", ""}}) {
        if (avcodec_find_encoder_by_name(encoder) == nullptr) {
            continue;
        }
        SCOPED_TRACE(encoder);
        options_.encoder = encoder;
        options_.preset = preset;
        expect_same_pictures(transcode("in.mp4", "out.webm"), "in.mp4", "out.webm", 0.0011, false);
    }
}

TEST_F(Output, writes_hevc_and_av1_in_mp4_the_way_players_expect) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(30, true, true)}, {}});
    options_.crf = 25;
    for (const auto& [encoder, preset, tag] : {std::tuple{"libx265", "ultrafast", MKTAG('h', 'v', 'c', '1')},
                                               std::tuple{"libsvtav1", "12", MKTAG('a', 'v', '0', '1')}}) {
        SCOPED_TRACE(encoder);
        options_.encoder = encoder;
        options_.preset = preset;
        expect_same_pictures(transcode("in.mp4", "out.mp4"), "in.mp4", "out.mp4", 1e-9, false);
        EXPECT_EQ(testing::first(testing::read_file(folder_ / "out.mp4"), AVMEDIA_TYPE_VIDEO).tag,
                  static_cast<std::uint32_t>(tag));
    }
}

TEST_F(Output, gives_packets_rising_dts_never_after_their_pts_and_durations_without_gaps) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(50)}, {}});
    reorder_output(true);
    const Result result = transcode("in.mp4", "out.mp4");
    const auto streams = testing::read_file(folder_ / "out.mp4");
    const StreamContent& stream = testing::first(streams, AVMEDIA_TYPE_VIDEO);
    for (std::size_t i = 0; i < stream.packets.size(); ++i) {
        EXPECT_LE(stream.packets[i].dts, stream.packets[i].pts);
        if (i > 0) {
            EXPECT_GT(stream.packets[i].dts, stream.packets[i - 1].dts);
        }
    }
    EXPECT_LT(stream.packets.front().dts, 0) << "reordering lies before the first picture, in the edit list";
    EXPECT_EQ(stream.packets.front().pts, 0);
    const double end = static_cast<double>(result.pts.back() + 512) / 15360;
    EXPECT_NEAR(stream.duration_s, end, 0.002);
}

TEST_F(Output, lasts_until_the_end_of_its_last_picture) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(30, true)}, {}});
    const SourceInfo source = probe(folder_ / "in.mp4");
    for (const bool reordered : {false, true}) {
        reorder_output(reordered);
        std::vector<std::string> notes;
        const OutputSpec spec = spec_for(source, folder_ / "out.mp4", notes);
        VideoOutput output(spec, source);
        PicturePool pool({}, 96, 64);
        std::int64_t pts = 0;
        for (int i = 0; i < 12; ++i) {
            Picture picture = pool.take();
            pts = 15360 * i + 100 * (i % 3);
            picture.pts = pts;
            picture.duration = i == 11 ? 7680 : 0;   // only the last one's own is used
            output.write(picture);
        }
        output.end();
        output.finish();
        // The file's own: for reordered streams FFmpeg's reader makes the stream's duration of decoding times.
        EXPECT_NEAR(probe(spec.path).duration_s, static_cast<double>(pts + 7680) / 15360, 0.002) << reordered;
        VideoDecoder decoder(probe(spec.path), {});
        int frames = 0;
        while (decoder.next()) {
            ++frames;
        }
        EXPECT_EQ(frames, 12) << reordered;
    }
}

TEST_F(Output, copies_audio_bit_exactly_with_its_timing) {
    struct Case {
        const char* encoder;
        const char* from;   // muxer
        const char* out;
        double tolerance_s;
    };
    const double ms = 0.0011;
    const double sample = 1.0 / 40000;
    for (const Case& c : {Case{"aac", "mp4", "out.mp4", sample}, Case{"aac", "mp4", "out.mkv", ms},
                          Case{"aac", "matroska", "out.mp4", ms}, Case{"libmp3lame", "matroska", "out.mp4", ms},
                          Case{"libmp3lame", "mp4", "out.mkv", ms}, Case{"libmp3lame", "avi", "out.mp4", sample},
                          Case{"libopus", "matroska", "out.mkv", ms}, Case{"libopus", "matroska", "out.mp4", ms},
                          Case{"libopus", "mp4", "out.mkv", ms}, Case{"libopus", "mp4", "out.mp4", sample},
                          Case{"flac", "matroska", "out.mkv", ms}, Case{"flac", "matroska", "out.mp4", ms},
                          Case{"pcm_s16le", "mov", "out.mov", sample}, Case{"pcm_s16le", "matroska", "out.mkv", ms},
                          Case{"ac3", "mp4", "out.mp4", sample}, Case{"ac3", "mpegts", "out.mkv", ms}}) {
        if (avcodec_find_encoder_by_name(c.encoder) == nullptr) {
            continue;
        }
        SCOPED_TRACE(std::string(c.encoder) + " " + c.from + " -> " + c.out);
        SyntheticAudio audio;
        audio.encoder = c.encoder;
        audio.duration_s = 2.5;   // longer than the video
        SyntheticVideo pictures = video(45, true, true);
        if (std::string(c.from) == "avi") {
            pictures = video(45);
            pictures.encoder = "mpeg4";
            pictures.settings = {};
            pictures.time_base = {1, 25};
            pictures.pts = testing::constant_rate(45, 1);
        }
        testing::write_file(folder_ / "in", c.from, {{pictures}, {audio}});
        const Result result = transcode("in", c.out);
        EXPECT_GT(result.statistics.copied_packets, 20);
        expect_same_audio("in", c.out, c.tolerance_s);
    }
}

TEST_F(Output, makes_mp4_audio_of_transport_stream_audio) {
    SyntheticVideo pictures = video(50);
    pictures.time_base = {1, 90000};
    pictures.pts = testing::constant_rate(50, 3600);
    for (const char* out : {"out.mp4", "out.mkv", "out.mov"}) {
        SyntheticFile file{{pictures}, {SyntheticAudio{}}};
        file.shift_s = 10;
        testing::write_file(folder_ / "in.ts", "mpegts", file);
        transcode("in.ts", out);
        expect_same_audio("in.ts", out, 0.0011, true);   // less its ADTS headers
        const SourceInfo source = probe(folder_ / out);
        EXPECT_NEAR(source.start_s, 0, 0.05) << "the stream began at 10 s";
        // The packets less their 7 bytes of ADTS (no CRC).
        const auto streams = testing::read_file(folder_ / out);
        EXPECT_EQ(testing::first(streams, AVMEDIA_TYPE_AUDIO).codec, AV_CODEC_ID_AAC);
        EXPECT_EQ(source.streams[1].sample_rate, 48000);
    }
}

TEST_F(Output, keeps_the_offset_between_audio_and_video) {
    for (const double start : {0.0, 0.7, 1.2345}) {
        for (const auto& [container, in] :
             {std::pair{"mp4", "in.mp4"}, std::pair{"matroska", "in.mkv"}, std::pair{"mpegts", "in.ts"}}) {
            for (const char* out : {"out.mp4", "out.mkv"}) {
                SCOPED_TRACE(std::string(in) + " " + out + " " + std::to_string(start));
                SyntheticAudio audio;
                audio.encoder = "ac3";   // no priming: what is late is late
                audio.start_s = start;
                audio.duration_s = 3;
                testing::write_file(folder_ / in, container, {{video(50, false, true)}, {audio}});
                transcode(in, out);
                expect_same_audio(in, out, 0.0011);
            }
        }
    }
}

TEST_F(Output, keeps_the_offset_to_the_tick_from_mp4_to_mp4) {
    SyntheticAudio audio;
    audio.sample_rate = 44100;
    audio.start_s = 0.12345;
    SyntheticVideo late = video(30, false, true);
    for (std::int64_t& pts : late.pts) {
        pts += 777;
    }
    testing::write_file(folder_ / "in.mp4", "mp4", [&] {
        SyntheticFile file{{late}, {audio}};
        file.muxer_settings = {{"movie_timescale", "705600"}, {"video_track_timescale", "15360"}};
        return file;
    }());
    transcode("in.mp4", "out.mp4");
    expect_same_audio("in.mp4", "out.mp4", 0.5 / 15360);
}

TEST_F(Output, keeps_audio_priming_in_the_edit_list) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(30)}, {SyntheticAudio{}}});
    transcode("in.mp4", "out.mp4");
    const auto before = testing::read_file(folder_ / "in.mp4");
    const auto after = testing::read_file(folder_ / "out.mp4");
    EXPECT_EQ(testing::first(before, AVMEDIA_TYPE_AUDIO).packets.front().pts, -1024) << "what the AAC encoder gives";
    EXPECT_EQ(testing::first(after, AVMEDIA_TYPE_AUDIO).packets, testing::first(before, AVMEDIA_TYPE_AUDIO).packets);
    EXPECT_EQ(testing::first(after, AVMEDIA_TYPE_VIDEO).packets.front().pts, 0);
}

TEST_F(Output, carries_language_title_and_disposition_of_every_audio_stream) {
    SyntheticVideo pictures = video(20);
    pictures.language = "ita";
    SyntheticAudio first;
    first.language = "fra";
    first.title = "Original";
    SyntheticAudio second = first;
    second.encoder = "libmp3lame";
    second.language = "jpn";
    second.title = "Comment";
    testing::write_file(folder_ / "in.mkv", "matroska", {{pictures}, {first, second}});
    transcode("in.mkv", "out.mkv");
    const auto streams = testing::read_file(folder_ / "out.mkv");
    ASSERT_EQ(streams.size(), 3U);
    EXPECT_EQ(streams[0].language, "ita");
    EXPECT_EQ(streams[1].language, "fra");
    EXPECT_EQ(streams[1].title, "Original");
    EXPECT_EQ(streams[2].language, "jpn");
    EXPECT_EQ(streams[2].title, "Comment");
    const auto before = testing::read_file(folder_ / "in.mkv");
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(streams[i].disposition, before[i].disposition) << i;
    }
}

TEST_F(Output, carries_colour_and_pixel_shape_into_every_container) {
    SyntheticVideo pictures = video(10);
    pictures.tag_colour = true;
    pictures.sample_aspect = {4, 3};
    pictures.format = AV_PIX_FMT_YUV420P10;
    for (const Colour& colour :
         {Colour{9, 9, 16, false, ChromaLocation::top_left}, Colour{9, 9, 18, false, ChromaLocation::left},
          Colour{1, 1, 1, true, ChromaLocation::left}, Colour{6, 6, 6, false, ChromaLocation::center}}) {
        pictures.colour = colour;
        testing::write_file(folder_ / "in.mp4", "mp4", {{pictures}, {}});
        options_.crf = 20;
        for (const char* out : {"out.mp4", "out.mov", "out.mkv"}) {
            for (const char* encoder : {"libx264", "libx265"}) {
                SCOPED_TRACE(std::string(out) + " " + encoder + " " + describe_colour(colour));
                options_.encoder = encoder;
                transcode("in.mp4", out);
                const VideoStreamInfo after = *probe(folder_ / out).video().video;
                EXPECT_EQ(after.colour, colour);
                EXPECT_EQ(after.sample_aspect, (Rational{4, 3}));
                EXPECT_EQ(after.format.depth, 10);
            }
        }
    }
}

TEST_F(Output, tags_the_matrix_it_assumed) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(5)}, {}});
    const Result result = transcode("in.mp4", "out.mp4");
    EXPECT_EQ(probe(folder_ / "out.mp4").video().video->colour.matrix, 6);
    EXPECT_THAT(result.notes, ::testing::Contains(HasSubstr("BT.601")));
}

TEST_F(Output, encodes_every_family_of_formats) {
    options_.crf = 20;
    for (const AVPixelFormat format :
         {AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P, AV_PIX_FMT_GRAY8, AV_PIX_FMT_YUV420P}) {
        SCOPED_TRACE(av_get_pix_fmt_name(format));
        SyntheticVideo pictures = video(8);
        pictures.format = format;
        pictures.encoder = "ffv1";
        pictures.settings = {};
        pictures.width = format == AV_PIX_FMT_YUV444P || format == AV_PIX_FMT_GRAY8 ? 97 : 96;
        testing::write_file(folder_ / "in.mkv", "matroska", {{pictures}, {}});
        expect_same_pictures(transcode("in.mkv", "out.mp4"), "in.mkv", "out.mp4", 1e-9, false);
    }
}

TEST_F(Output, writes_a_video_of_one_picture) {
    for (const char* out : {"out.mp4", "out.mkv"}) {
        testing::write_file(folder_ / "in.mp4", "mp4", {{video(1)}, {SyntheticAudio{}}});
        expect_same_pictures(transcode("in.mp4", out), "in.mp4", out, 1e-9);
    }
}

TEST_F(Output, plays_after_every_chunk) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(200, false, true)}, {sound(8)}});
    const SourceInfo source = probe(folder_ / "in.mp4");
    for (const char* out : {"out.mp4", "out.mkv"}) {
        Result result;
        const OutputSpec spec = spec_for(source, folder_ / out, result.notes);
        VideoDecoder decoder(source, {});
        VideoOutput output(spec, source);
        while (result.pts.size() < 45) {
            const auto picture = decoder.next();
            result.pts.push_back(picture->pts);
            result.hashes.push_back(testing::hash(*picture));
            output.write(*picture);
        }
        const OutputState state = output.end_chunk(decoder.next()->pts);
        EXPECT_EQ(state.frames, 45);
        EXPECT_EQ(state.bytes, std::filesystem::file_size(spec.path));
        std::filesystem::copy_file(spec.path, folder_ / out);
        expect_same_pictures(result, "in.mp4", out, 0.0011);
        const auto streams = testing::read_file(folder_ / out);
        const double video_end = testing::sorted_times(testing::first(streams, AVMEDIA_TYPE_VIDEO)).back() + 1.0 / 30;
        const double audio_last = testing::sorted_times(testing::first(streams, AVMEDIA_TYPE_AUDIO)).back();
        EXPECT_LT(audio_last, video_end);
        EXPECT_GT(audio_last, video_end - 0.05);
    }
}

TEST_F(Output, interleaves_audio_and_video_as_it_goes) {
    testing::write_file(folder_ / "in.mkv", "matroska", {{video(240, false, true)}, {sound(8), sound(8)}});
    transcode("in.mkv", "out.mkv");
    AVFormatContext* opened = nullptr;
    ASSERT_GE(avformat_open_input(&opened, (folder_ / "out.mkv").c_str(), nullptr, nullptr), 0);
    const av::InputContext input(opened);
    const av::Packet packet = av::make_packet();
    std::vector<double> last(3, 0);
    while (av_read_frame(input.get(), packet.get()) >= 0) {   // in the order of the file
        last[static_cast<std::size_t>(packet->stream_index)] =
            static_cast<double>(packet->pts) * av_q2d(input->streams[packet->stream_index]->time_base);
        const auto [lowest, highest] = std::minmax_element(last.begin(), last.end());
        EXPECT_LT(*highest - *lowest, 0.3);
        av_packet_unref(packet.get());
    }
}

TEST_F(Output, refuses_a_place_that_cannot_be_written_and_leaves_nothing_when_the_encoder_refuses) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(5)}, {}});
    const SourceInfo source = probe(folder_ / "in.mp4");
    std::vector<std::string> notes;
    OutputSpec spec = spec_for(source, folder_ / "out.mp4", notes);
    spec.path = folder_ / "no such folder" / "out.part";
    try {
        const VideoOutput output(spec, source);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::refused);
        EXPECT_THAT(error.what(), HasSubstr("no such folder"));
    }
    spec.path = folder_ / "out.part";
    spec.encoder.extra = {{"no-such-option", "1"}};
    try {
        const VideoOutput output(spec, source);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(), HasSubstr("no-such-option"));
    }
    EXPECT_FALSE(std::filesystem::exists(spec.path));
}

TEST_F(Output, says_that_the_disk_is_full) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(60)}, {SyntheticAudio{}}});
    const SourceInfo source = probe(folder_ / "in.mp4");
    for (const char* out : {"out.mp4", "out.mkv"}) {
        std::vector<std::string> notes;
        OutputSpec spec = spec_for(source, folder_ / out, notes);
        testing::WatchedFiles files;
        files.before = [](const testing::FileChange& change) {
            return change.kind == testing::FileChange::Kind::write ? ENOSPC : 0;
        };
        spec.files = &files;
        try {
            VideoOutput output(spec, source);
            VideoDecoder decoder(source, {});
            while (const auto picture = decoder.next()) {
                output.write(*picture);
            }
            output.end();
            ADD_FAILURE() << out;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::resource);
            EXPECT_THAT(error.what(), HasSubstr("No space left"));
            EXPECT_THAT(error.what(), HasSubstr(spec.path.string()));
        }
    }
}

TEST_F(Output, refuses_pictures_out_of_order_or_of_another_size) {
    testing::write_file(folder_ / "in.mp4", "mp4", {{video(5)}, {}});
    const SourceInfo source = probe(folder_ / "in.mp4");
    std::vector<std::string> notes;
    VideoOutput output(spec_for(source, folder_ / "out.mp4", notes), source);
    PicturePool pool({}, 96, 64);
    Picture picture = pool.take();
    picture.pts = 100;
    output.write(picture);
    EXPECT_THROW(output.write(picture), Error);
    picture.pts = 200;
    picture.width = 94;
    EXPECT_THROW(output.write(picture), Error);
}

TEST(Encoder, can_be_dropped_at_any_time) {
    for (const char* name : {"libx264", "libx265", "libsvtav1"}) {
        for (const int pictures : {0, 1, 5, 60}) {
            SCOPED_TRACE(std::string(name) + " " + std::to_string(pictures));
            EncoderSettings settings;
            settings.encoder = name;
            settings.preset = std::string(name) == "libsvtav1" ? "12" : "ultrafast";
            settings.width = 128;
            settings.height = 96;
            settings.threads = 2;
            settings.pixel_format_name = "yuv420p";
            VideoEncoder encoder(settings, true);
            PicturePool pool({}, 128, 96);
            const av::Packet packet = av::make_packet();
            for (int i = 0; i < pictures; ++i) {
                encoder.send(pool.take(), i);
                while (encoder.receive(*packet)) {
                    av_packet_unref(packet.get());
                }
            }
        }
    }
}

TEST(Encoder, keeps_no_picture_of_ours_once_it_has_read_it) {
    for (const char* name : {"libx264", "libx265", "libsvtav1"}) {
        EncoderSettings settings;
        settings.encoder = name;
        settings.preset = std::string(name) == "libsvtav1" ? "12" : "ultrafast";
        settings.width = 128;
        settings.height = 96;
        settings.threads = 2;
        settings.pixel_format_name = "yuv420p";
        VideoEncoder encoder(settings, true);
        PicturePool pool({}, 128, 96);
        const av::Packet packet = av::make_packet();
        for (int i = 0; i < 30; ++i) {
            encoder.send(pool.take(), i);
            while (encoder.receive(*packet)) {
                av_packet_unref(packet.get());
            }
            EXPECT_LE(pool.live(), pictures_held_by_encoder(settings)) << name << " " << i;
        }
    }
}

}   // namespace
}   // namespace millstream
