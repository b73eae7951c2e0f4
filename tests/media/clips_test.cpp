// A folder of real clips: $MILLSTREAM_CLIPS, else ../shared/clips beside the repository; skipped without one. The frame
// counts are what ffprobe 5.1.9 -count_frames says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "media/decoder.h"
#include "media/probe.h"
#include "millstream/error.h"

namespace millstream {
namespace {

std::filesystem::path clips() {
    const char* chosen = std::getenv("MILLSTREAM_CLIPS");
    return chosen != nullptr ? chosen : MILLSTREAM_DEFAULT_CLIPS;
}

class Clips : public ::testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(clips() / "README.md")) {
            GTEST_SKIP() << "no clips at " << clips();
        }
    }

    static std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            const std::string extension = entry.path().extension().string();
            if (entry.is_regular_file() && extension != ".md" && entry.path().filename() != "SHA256SUMS") {
                files.push_back(entry.path());
            }
        }
        std::sort(files.begin(), files.end());
        return files;
    }
};

std::int64_t count_frames(const SourceInfo& source, std::int64_t most = -1) {
    VideoDecoder decoder(source, {});
    std::int64_t frames = 0;
    while (frames != most && decoder.next()) {
        ++frames;
    }
    return frames;
}

TEST_F(Clips, are_all_probed_and_begin_to_decode) {
    for (const auto& file : files_in(clips())) {
        SCOPED_TRACE(file);
        const SourceInfo source = probe(file);
        EXPECT_GT(source.video().video->width, 0);
        EXPECT_FALSE(source.video().video->pixel_format_name.empty());
        EXPECT_GT(count_frames(source, 3), 0);
    }
}

TEST_F(Clips, of_the_core_set_have_the_known_number_of_frames) {
    const std::map<std::string, std::int64_t> known{
        {"bbb_800x640_768kbps_30fps_avc_pyramid_3b.mp4", 120},
        {"bear-vp9-odd-dimensions.webm", 30},
        {"carphone_distorted.mp4", 120},
        {"chaplin.mp4", 241},
        {"corrupted.mp4", 49},
        {"cursed-vfr.mp4", 63},
        {"derived_audio_late_and_longer.webm", 150},
        {"derived_editlist_midgop.mp4", 74},
        {"derived_ffv1_flac.mkv", 30},
        {"derived_interlaced_tff_30i.ts", 60},
        {"derived_odd_319x179_yuv444.mp4", 60},
        {"derived_png_rgba.mov", 30},
        {"derived_vfr_30_24_12.mp4", 111},
        {"dolbyVision-hdr.MOV", 4},
        {"fire2.mp4", 25},
        {"h265_10bits.mp4", 30},
        {"hdr10-av1.mp4", 127},
        {"no_duration.webm", 74},
        {"roadtrip-vp92-10bit.webm", 72},
        {"sample.avi", 96},
        {"test-segment.ts", 134},
        {"test_iibbibb_neg_ctts.mp4", 13},
        {"hostile/bitflip_mdat_seed1.mp4", 87},
        {"hostile/faststart_half_mdat.mp4", 29},
        {"hostile/mkv_cut_mid_cluster.mkv", 70},
        {"hostile/moov_huge_dimensions.mp4", 60},
        {"hostile/one_frame.mp4", 1},
        {"hostile/resolution_change_h264.ts", 90},
        {"hostile/timestamp_jump_back.ts", 120},
        {"hostile/-video-with-dash-.mp4", 5},
    };
    for (const auto& [name, frames] : known) {
        if (std::filesystem::exists(clips() / name)) {
            EXPECT_EQ(count_frames(probe(clips() / name)), frames) << name;
        }
    }
}

TEST_F(Clips, that_are_hostile_decode_or_are_refused_as_input) {
    for (const auto& file : files_in(clips() / "hostile")) {
        SCOPED_TRACE(file);
        try {
            EXPECT_GT(count_frames(probe(file)), 0);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_FALSE(error.context().why.empty());
            EXPECT_FALSE(error.context().hint.empty());
        }
    }
}

TEST_F(Clips, that_are_hostile_are_refused_where_there_is_nothing_to_decode) {
    for (const char* name : {"audio_only.mp4", "cover_art_only.mp3", "ffconcat_renamed.mp4", "text_renamed.mp4",
                             "truncated_no_moov.mp4", "zero_byte.mp4"}) {
        EXPECT_THROW(probe(clips() / "hostile" / name), Error) << name;
    }
}

}   // namespace
}   // namespace millstream
