#include "verify/stream_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millstream {
namespace {

StreamDescription stream(int index, StreamKind kind, const std::string& codec, const std::string& language = "") {
    StreamDescription description;
    description.info.index = index;
    description.info.kind = kind;
    description.info.codec = codec;
    description.info.language = language;
    description.text = kind == StreamKind::subtitle;
    return description;
}

StreamDescription video() {
    StreamDescription description = stream(0, StreamKind::video, "h264");
    description.info.video.emplace();
    return description;
}

// "1-1 2-" : the source's stream 1 is the result's 1, its 2 has no partner.
std::string pairs_of(const FileDescription& source, const FileDescription& result) {
    std::string text;
    for (const StreamPair& pair : pair_streams(source, 0, result, 0)) {
        text += (text.empty() ? "" : " ") + (pair.source ? std::to_string(pair.source->info.index) : "") + "-" +
                (pair.result ? std::to_string(pair.result->info.index) : "");
    }
    return text;
}

FileDescription file(std::vector<StreamDescription> streams) {
    FileDescription description;
    description.streams = {video()};
    for (StreamDescription& each : streams) {
        each.info.index = static_cast<int>(description.streams.size());
        description.streams.push_back(std::move(each));
    }
    return description;
}

constexpr StreamKind kAudio = StreamKind::audio;
constexpr StreamKind kSubtitle = StreamKind::subtitle;

TEST(StreamPairs, keep_the_order_of_streams_that_look_alike) {
    const auto two = file({stream(1, kAudio, "aac"), stream(2, kAudio, "aac")});
    EXPECT_EQ(pairs_of(two, two), "1-1 2-2");
}

TEST(StreamPairs, find_by_language_which_of_two_is_missing) {
    const auto source = file({stream(1, kAudio, "aac", "eng"), stream(2, kAudio, "aac", "jpn")});
    EXPECT_EQ(pairs_of(source, file({stream(1, kAudio, "aac", "jpn")})), "1- 2-1");
    EXPECT_EQ(pairs_of(source, file({stream(1, kAudio, "aac", "eng")})), "1-1 2-");
}

TEST(StreamPairs, take_a_changed_language_for_a_change_and_not_for_another_stream) {
    const auto source = file({stream(1, kAudio, "aac", "eng"), stream(2, kAudio, "aac", "jpn")});
    EXPECT_EQ(pairs_of(source, file({stream(1, kAudio, "aac", "eng"), stream(2, kAudio, "aac", "fra")})), "1-1 2-2");
}

TEST(StreamPairs, allow_text_subtitles_another_codec_but_not_sound) {
    EXPECT_EQ(pairs_of(file({stream(1, kSubtitle, "subrip")}), file({stream(1, kSubtitle, "mov_text")})), "1-1");
    EXPECT_EQ(pairs_of(file({stream(1, kAudio, "flac")}), file({stream(1, kAudio, "aac")})), "1- -1");
}

}   // namespace
}   // namespace millstream
