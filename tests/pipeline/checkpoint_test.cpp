// What is written comes back, and what somebody else wrote is refused, never misread.
#include "pipeline/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "media/temporary_folder.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using Json = nlohmann::ordered_json;

Checkpoint some_checkpoint() {
    Checkpoint checkpoint;
    checkpoint.asked = "{}";
    checkpoint.source = {1U << 31U, 1'700'000'000'000'000'000, "ab"};
    checkpoint.resolved.chunk_frames = 200;
    checkpoint.resolved.halo = 19;
    checkpoint.output.frames = 400;
    checkpoint.output.last_pts = {-1024, 0};
    checkpoint.output.tracks.resize(2);
    checkpoint.output.tracks[1].first_dts = -2048;
    checkpoint.output.copied = {{7, 3, 100, 4'000'000'000U}};
    checkpoint.done_s = 8.5;
    return checkpoint;
}

class CheckpointText : public ::testing::Test {
protected:
    Json content() {
        write_checkpoint(system_files(), path_, some_checkpoint());
        std::ifstream file(path_);
        return Json::parse(file).at("content");
    }
    Checkpoint read(const Json& content) { return parse_checkpoint(sealed_text(content.dump()), path_).value(); }
    bool refused(const char* pointer, const Json& value) {
        Json changed = content();
        changed.at(Json::json_pointer(pointer)) = value;
        try {
            read(changed);
            return false;
        } catch (const Error& error) {
            return error.kind() == ErrorKind::refused;
        }
    }

    testing::TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "out.mkv.millstream.json";
};

TEST_F(CheckpointText, everything_comes_back) {
    const Checkpoint written = some_checkpoint();
    const Checkpoint back = read(content());
    EXPECT_EQ(back.source, written.source);
    EXPECT_EQ(back.resolved, written.resolved);
    EXPECT_EQ(back.output.last_pts, written.output.last_pts);
    ASSERT_EQ(back.output.tracks.size(), 2U);
    EXPECT_EQ(back.output.tracks[0].first_dts, std::nullopt);
    EXPECT_EQ(back.output.tracks[1].first_dts, -2048);
    ASSERT_EQ(back.output.copied.size(), 1U);
    EXPECT_EQ(back.output.copied[0].last_check, 4'000'000'000U);
    EXPECT_EQ(back.done_s, 8.5);
}

TEST_F(CheckpointText, a_count_that_does_not_fit_is_refused) {
    EXPECT_FALSE(refused("/output/frames", 401));
    EXPECT_TRUE(refused("/output/frames", 3e116));
    EXPECT_TRUE(refused("/output/frames", 1.5));
    EXPECT_TRUE(refused("/output/frames", "400"));
    EXPECT_TRUE(refused("/output/frames", 1ULL << 63U));
    EXPECT_TRUE(refused("/output/bytes", -1));
    EXPECT_TRUE(refused("/output/pieces", 1LL << 32U));
    EXPECT_TRUE(refused("/output/copied/0/last_check", 1LL << 32U));
    EXPECT_TRUE(refused("/output/last_pts/1", 3e116));
    EXPECT_TRUE(refused("/output/tracks/1/first_dts", 3e116));
    EXPECT_TRUE(refused("/output/tracks", 5));
    EXPECT_TRUE(refused("/output/complete", 1));
    EXPECT_TRUE(refused("/written_other", 3e116));
}

}   // namespace
}   // namespace millstream
