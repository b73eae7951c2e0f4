#include "media/interlacing.h"

#include <gtest/gtest.h>

#include <string>

#include "media/deinterlacer.h"
#include "millstream/error.h"

namespace millstream {
namespace {

std::string words_;

Deinterlacing decide(const InterlacingEvidence& evidence, Deinterlace wish = Deinterlace::automatic) {
    words_.clear();
    return decide_deinterlacing(evidence, wish, words_);
}

InterlacingEvidence evidence(int flagged, int combed, int whole) {
    InterlacingEvidence result;
    result.looked_at = 40;
    result.flagged = flagged;
    result.flagged_top_first = flagged;
    result.combed = combed;
    result.whole = whole;
    return result;
}

const InterlacingEvidence kProgressive = evidence(0, 0, 30);
const InterlacingEvidence kTopFirst = evidence(40, 30, 0);
const InterlacingEvidence kStillAndFlagged = evidence(40, 0, 0);
const InterlacingEvidence kFlaggedByMistake = evidence(40, 0, 30);

TEST(DeinterlacingDecision, ProgressiveVideoIsLeftAloneWithoutAWord) {
    EXPECT_EQ(decide(kProgressive).rate, DeinterlacedRate::none);
    EXPECT_EQ(words_, "");
    EXPECT_EQ(decide({}).rate, DeinterlacedRate::none);
    EXPECT_EQ(words_, "");
}

TEST(DeinterlacingDecision, AutoKeepsTheFrameRate) {
    EXPECT_EQ(decide(kTopFirst).rate, DeinterlacedRate::frames);
    EXPECT_NE(words_.find("interlaced (flagged so in 40 of 40 frames, combed in 30 of 30 that move, top field first)"),
              std::string::npos)
        << words_;
}

TEST(DeinterlacingDecision, FlagsDecideWhereNothingMoves) {
    EXPECT_EQ(decide(kStillAndFlagged).rate, DeinterlacedRate::frames);
}

TEST(DeinterlacingDecision, ContentDecidesAgainstFlags) {
    EXPECT_EQ(decide(kFlaggedByMistake).rate, DeinterlacedRate::none);
    EXPECT_NE(words_.find("flagged as interlaced, but its content is not"), std::string::npos) << words_;
    InterlacingEvidence unflagged = evidence(0, 30, 2);
    unflagged.top_first = 3;
    unflagged.bottom_first = 27;
    EXPECT_EQ(decide(unflagged).rate, DeinterlacedRate::frames);
    EXPECT_FALSE(decide(unflagged).top_field_first);
}

TEST(DeinterlacingDecision, TheUserHasTheLastWord) {
    EXPECT_EQ(decide(kTopFirst, Deinterlace::off).rate, DeinterlacedRate::none);
    EXPECT_NE(words_.find("left so"), std::string::npos) << words_;
    EXPECT_EQ(decide(kProgressive, Deinterlace::on).rate, DeinterlacedRate::frames);
    EXPECT_EQ(decide(kTopFirst, Deinterlace::fields).rate, DeinterlacedRate::fields);
}

TEST(FieldRate, HalvesTheTickAndDoublesTheRate) {
    SourceInfo source;
    source.streams.resize(1);
    source.streams[0].time_base = {1, 90000};
    source.streams[0].start_pts = 126000;
    source.streams[0].video.emplace();
    source.streams[0].video->average_rate = {25, 1};
    source.streams[0].video->nominal_rate = {25, 1};
    source.streams[0].video->frames = 100;
    use_field_rate(source);
    EXPECT_EQ(source.video().time_base, (Rational{1, 180000}));
    EXPECT_EQ(source.video().start_pts, 252000);
    EXPECT_EQ(source.video().video->average_rate, (Rational{50, 1}));
    EXPECT_EQ(source.video().video->frames, 200);
}

TEST(Deinterlacer, RefusesPicturesThatItsFilterCannotTake) {
    const Deinterlacing frames{.rate = DeinterlacedRate::frames};
    try {
        const Deinterlacer deinterlacer({AV_PIX_FMT_YUV420P, 48, 6}, frames, 1);
        ADD_FAILURE() << "its chroma has three lines";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_NE(std::string(error.what()).find("48x6"), std::string::npos) << error.what();
    }
    EXPECT_THROW(Deinterlacer({AV_PIX_FMT_YUV420P, 4, 48}, frames, 1), Error);
    EXPECT_NO_THROW(Deinterlacer({AV_PIX_FMT_YUV420P, 5, 7}, frames, 1));
    EXPECT_NO_THROW(Deinterlacer({AV_PIX_FMT_GRAY8, 3, 4}, frames, 1));
}

}   // namespace
}   // namespace millstream
