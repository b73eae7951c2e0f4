// What becomes of each stream in each container.
#include "media/carriage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/av.h"

namespace millstream {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StreamInfo stream_of(StreamKind kind, const char* codec) {
    StreamInfo stream;
    stream.index = 3;
    stream.kind = kind;
    stream.codec = codec;
    stream.sample_rate = kind == StreamKind::audio ? 48000 : 0;
    return stream;
}

CarriageDecision decide(StreamKind kind, const char* codec, const char* container, bool convert = false) {
    return decide_carriage(stream_of(kind, codec), container, convert);
}

TEST(Carriage, converts_plain_text_subtitles_by_itself_and_styled_ones_when_asked) {
    struct Case {
        const char* codec;
        const char* container;
        Carriage by_itself;
        Carriage when_asked;
        const char* becomes;
    };
    for (const Case& c : {Case{"subrip", "mp4", Carriage::convert, Carriage::convert, "mov_text"},
                          Case{"webvtt", "mov", Carriage::convert, Carriage::convert, "mov_text"},
                          Case{"mov_text", "matroska", Carriage::convert, Carriage::convert, "subrip"},
                          Case{"ass", "mp4", Carriage::drop, Carriage::convert, "mov_text"},
                          Case{"subrip", "webm", Carriage::drop, Carriage::convert, "webvtt"},
                          Case{"ass", "matroska", Carriage::copy, Carriage::copy, ""},
                          Case{"subrip", "matroska", Carriage::copy, Carriage::copy, ""},
                          Case{"mov_text", "mp4", Carriage::copy, Carriage::copy, ""},
                          Case{"webvtt", "webm", Carriage::copy, Carriage::copy, ""},
                          Case{"hdmv_pgs_subtitle", "mp4", Carriage::drop, Carriage::drop, ""},
                          Case{"hdmv_pgs_subtitle", "matroska", Carriage::copy, Carriage::copy, ""}}) {
        SCOPED_TRACE(std::string(c.codec) + " in " + c.container);
        EXPECT_EQ(decide(StreamKind::subtitle, c.codec, c.container).stream.how, c.by_itself);
        const CarriageDecision asked = decide(StreamKind::subtitle, c.codec, c.container, true);
        EXPECT_EQ(asked.stream.how, c.when_asked);
        EXPECT_EQ(asked.stream.codec, c.becomes);
        EXPECT_EQ(asked.stream.index, 3);
    }
}

TEST(Carriage, says_what_would_hold_what_it_drops) {
    EXPECT_THAT(decide(StreamKind::subtitle, "ass", "mp4").reason,
                AllOf(HasSubstr(".mkv"), HasSubstr("--convert-subtitles"), HasSubstr("styling")));
    EXPECT_THAT(decide(StreamKind::subtitle, "hdmv_pgs_subtitle", "mp4").reason, HasSubstr(".mkv"));
    EXPECT_THAT(decide(StreamKind::attachment, "ttf", "mp4").reason, HasSubstr(".mkv"));
    StreamInfo empty = stream_of(StreamKind::audio, "aac");
    empty.sample_rate = 0;
    EXPECT_THAT(decide_carriage(empty, "matroska", false).reason, HasSubstr("nothing of it"));
    EXPECT_EQ(decide(StreamKind::attachment, "ttf", "matroska").stream.how, Carriage::attach);
    EXPECT_THAT(decide(StreamKind::audio, "pcm_s16le", "mp4").reason, HasSubstr(".mov"));
    EXPECT_THAT(decide(StreamKind::data, "unknown", "matroska").reason, HasSubstr("no container"));
}

TEST(Carriage, keeps_cover_art_where_there_is_a_place_for_it) {
    StreamInfo cover = stream_of(StreamKind::video, "mjpeg");
    cover.video = VideoStreamInfo{};
    cover.video->cover_art = true;
    EXPECT_EQ(decide_carriage(cover, "matroska", false).stream.how, Carriage::attach);
    EXPECT_EQ(decide_carriage(cover, "mp4", false).stream.how, Carriage::cover);
    EXPECT_THAT(decide_carriage(cover, "mov", false).reason, AllOf(HasSubstr(".mkv"), HasSubstr(".mp4")));
    cover.codec = "webp";
    EXPECT_EQ(decide_carriage(cover, "mp4", false).stream.how, Carriage::drop);
}

TEST(Carriage, makes_timecode_and_chapter_tracks_again_from_what_they_say) {
    StreamInfo timecode = stream_of(StreamKind::data, "unknown");
    timecode.codec_tag = MKTAG('t', 'm', 'c', 'd');
    EXPECT_EQ(decide_carriage(timecode, "mov", false).stream.how, Carriage::drop) << "it says nothing";
    timecode.timecode = "01:00:00:00";
    EXPECT_EQ(decide_carriage(timecode, "mov", false).stream.how, Carriage::metadata);
    StreamInfo titles = stream_of(StreamKind::data, "bin_data");
    titles.chapter_titles = true;
    EXPECT_EQ(decide_carriage(titles, "matroska", false).stream.how, Carriage::metadata);
}

TEST(Carriage, knows_which_tags_an_mp4_has_no_place_for) {
    SourceInfo source;
    source.tags = {"title", "TITLE-eng", "director", "major_brand", "ENCODER", "location"};
    EXPECT_THAT(lost_tags(source, "mp4"), ElementsAre("director"));
    EXPECT_THAT(lost_tags(source, "matroska"), IsEmpty());
    EXPECT_TRUE(keeps_file_tag("mp4", "TITLE"));
    EXPECT_TRUE(keeps_file_tag("mov", "director"));
    EXPECT_FALSE(keeps_file_tag("mp4", "director"));
}

}   // namespace
}   // namespace millstream
