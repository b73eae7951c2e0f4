// Finishing in place: what is read back, and what of it the index must hold all the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "media/fragment_samples.h"
#include "media/input_with_gaps.h"
#include "media/output.h"
#include "media/synthetic_file.h"
#include "media/temporary_folder.h"
#include "millstream/error.h"

namespace millstream {
namespace {

using testing::StreamContent;

class CountedReads : public FileCalls {
public:
    ssize_t read_at(int file, void* bytes, std::size_t count, off_t offset) override {
        const ssize_t result = FileCalls::read_at(file, bytes, count, offset);
        bytes_ += static_cast<std::uint64_t>(std::max<ssize_t>(result, 0));
        return result;
    }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    std::uint64_t bytes_ = 0;
};

class Finishing : public ::testing::Test {
protected:
    SourceInfo make_source() {
        testing::SyntheticVideo video;
        video.pts = testing::constant_rate(kFrames, 512);
        testing::SyntheticAudio sound;
        sound.duration_s = 3;
        testing::write_file(folder_ / "in.mp4", "mp4", {{video}, {sound}});
        return probe(folder_ / "in.mp4");
    }

    OutputSpec spec_for(const SourceInfo& source, const std::string& out, const std::string& encoder) {
        OutputSpec spec;
        spec.path = folder_ / out;
        spec.container = container_for(spec.path);
        spec.encoder.encoder = encoder;
        spec.encoder.width = kWidth;
        spec.encoder.height = kHeight;
        spec.encoder.pixel_format_name = "yuv420p";
        spec.encoder.frame_rate = {30, 1};
        spec.encoder.crf = 1;
        spec.encoder.threads = 1;
        spec.encoder.preset = encoder == "libsvtav1" ? "12" : "ultrafast";
        spec.encoder.extra = {{"g", "30"}};
        if (encoder == "libx264") {
            spec.encoder.extra.emplace_back("bf", "2");
            spec.encoder.extra.emplace_back("sc_threshold", "0");
        }
        spec.files = &calls_;
        for (const StreamInfo& stream : source.streams) {
            if (stream.index != source.video_stream) {
                spec.carried.push_back(decide_carriage(stream, spec.container, false).stream);
            }
        }
        return spec;
    }

    // Writes noise; returns how much of the file finishing it has read.
    double share_read_back(const SourceInfo& source, const OutputSpec& spec) {
        VideoOutput output(spec, source);
        PicturePool pool({}, kWidth, kHeight);
        std::uint32_t noise = 1;
        for (int i = 0; i < kFrames; ++i) {
            if (i > 0 && i % 30 == 0) {
                output.end_chunk(512 * i);
            }
            Picture picture = pool.take();
            for (int plane = 0; plane < picture.format.planes(); ++plane) {
                const Plane& to = picture.planes[static_cast<std::size_t>(plane)];
                std::generate_n(to.data, to.stride * picture.format.plane_height(plane, kHeight), [&] {
                    noise = noise * 1664525 + 1013904223;
                    return static_cast<std::byte>(noise >> 24);
                });
            }
            picture.pts = std::int64_t{512} * i;
            picture.duration = 512;
            output.write(picture);
        }
        output.end();
        const std::uint64_t before = calls_.bytes();
        const OutputStatistics statistics = output.finish();
        return static_cast<double>(calls_.bytes() - before) / static_cast<double>(statistics.bytes);
    }

    static constexpr int kWidth = 160;
    static constexpr int kHeight = 96;
    static constexpr int kFrames = 90;
    testing::TemporaryFolder folder_;
    CountedReads calls_;
};

TEST_F(Finishing, reads_little_of_what_it_has_written_and_keeps_every_packet_and_key_frame) {
    const SourceInfo source = make_source();
    for (const auto& [encoder, out] : {std::pair{"libx264", "out.mp4"}, std::pair{"libx264", "out.mov"},
                                       std::pair{"libx264", "out.mkv"}, std::pair{"libx265", "out.mp4"}}) {
        SCOPED_TRACE(std::string(encoder) + " " + out);
        const OutputSpec spec = spec_for(source, out, encoder);
        // The first packets are looked into, and the file is short.
        EXPECT_LT(share_read_back(source, spec), 0.5);
        const auto streams = testing::read_file(spec.path);
        const StreamContent& video = testing::first(streams, AVMEDIA_TYPE_VIDEO);
        ASSERT_EQ(video.packets.size(), static_cast<std::size_t>(kFrames));
        EXPECT_EQ(std::ranges::count_if(video.packets, &testing::PacketInfo::key), 3);
        const auto before = testing::read_file(folder_ / "in.mp4");
        const StreamContent& sound = testing::first(streams, AVMEDIA_TYPE_AUDIO);
        const StreamContent& went_in = testing::first(before, AVMEDIA_TYPE_AUDIO);
        ASSERT_EQ(sound.packets.size(), went_in.packets.size());
        for (std::size_t i = 0; i < sound.packets.size(); ++i) {
            ASSERT_EQ(sound.packets[i].hash, went_in.packets[i].hash) << i;
        }
    }
}

TEST_F(Finishing, reads_what_the_muxer_takes_apart) {
    if (avcodec_find_encoder_by_name("libsvtav1") == nullptr) {
        GTEST_SKIP() << "no SVT-AV1 here";
    }
    const SourceInfo source = make_source();
    const OutputSpec spec = spec_for(source, "out.mp4", "libsvtav1");
    EXPECT_GT(share_read_back(source, spec), 0.9);
    const auto streams = testing::read_file(spec.path);
    EXPECT_EQ(testing::first(streams, AVMEDIA_TYPE_VIDEO).packets.size(), static_cast<std::size_t>(kFrames));
}

using Bytes = std::vector<std::uint8_t>;

Bytes number(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

Bytes box(const std::string& type, const Bytes& content) {
    return joined({number(static_cast<std::uint32_t>(content.size() + 8)), Bytes(type.begin(), type.end()), content});
}

// Of a track: samples of these sizes, behind `offset` bytes of the fragment; durations and flags beside them.
Bytes track(std::uint32_t id, std::uint32_t offset, const std::vector<std::uint32_t>& sizes) {
    Bytes run = joined({number(0x701), number(static_cast<std::uint32_t>(sizes.size())), number(offset)});
    for (const std::uint32_t size : sizes) {
        run = joined({run, number(512), number(size), number(0)});
    }
    return box("traf", joined({box("tfhd", joined({number(0x20000), number(id)})), box("trun", run)}));
}

class FragmentSamples : public ::testing::Test {
protected:
    std::vector<ByteRange> found(const Bytes& bytes, const std::set<std::uint64_t>& tracks) {
        testing::write_bytes(folder_ / "file", bytes);
        const File file(system_files(), folder_ / "file", File::Open::existing);
        return fragment_samples(file, 0, bytes.size(), tracks);
    }
    testing::TemporaryFolder folder_;
};

TEST_F(FragmentSamples, are_found_by_track) {
    const Bytes head = box("moof", joined({track(1, 200, {10, 20}), track(2, 230, {7})}));
    ASSERT_EQ(head.size(), 8U + 2 * 8 + 2 * 16 + 2 * 20 + 3 * 12);
    const Bytes file = joined({box("moov", Bytes(5)), head, box("mdat", Bytes(200))});
    const std::uint64_t begin = 13;
    EXPECT_EQ(found(file, {1}), (std::vector<ByteRange>{{begin + 200, begin + 230}}));
    EXPECT_EQ(found(file, {2}), (std::vector<ByteRange>{{begin + 230, begin + 237}}));
    EXPECT_EQ(found(file, {1, 2}), (std::vector<ByteRange>{{begin + 200, begin + 237}}));
    EXPECT_TRUE(found(file, {}).empty());
    EXPECT_TRUE(found(file, {3}).empty());
}

TEST_F(FragmentSamples, that_do_not_lie_in_the_file_are_none) {
    EXPECT_TRUE(found(box("moof", track(1, 200, {10})), {1}).empty());
    EXPECT_TRUE(found(box("moof", track(1, 0xffffffff, {0xffffffff, 0xffffffff})), {1}).empty());
    Bytes cut = box("moof", track(1, 20, {10}));
    for (std::size_t size = 0; size < cut.size(); ++size) {
        EXPECT_TRUE(found(Bytes(cut.begin(), cut.begin() + static_cast<std::ptrdiff_t>(size)), {1}).empty());
    }
}

TEST_F(FragmentSamples, come_as_zeros_and_all_else_as_it_is) {
    Bytes bytes(100000);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(1 + i % 251);
    }
    testing::write_bytes(folder_ / "file", bytes);
    const File file(system_files(), folder_ / "file", File::Open::existing);
    const Gaps gaps{{{10, 20}, {40000, 99990}}};
    const InputIo io = open_with_gaps(file, bytes.size(), gaps);
    EXPECT_EQ(avio_size(io.get()), 100000);
    for (const std::size_t begin : {0U, 15U, 39999U, 99985U}) {
        avio_seek(io.get(), static_cast<std::int64_t>(begin), SEEK_SET);
        Bytes read(bytes.size() - begin);
        ASSERT_EQ(avio_read(io.get(), read.data(), static_cast<int>(read.size())), static_cast<int>(read.size()));
        for (std::size_t i = begin; i < bytes.size(); ++i) {
            const bool gap = (i >= 10 && i < 20) || (i >= 40000 && i < 99990);
            ASSERT_EQ(read[i - begin], gap ? 0 : bytes[i]) << begin << " " << i;
        }
    }
    Bytes more(1);
    EXPECT_EQ(avio_read(io.get(), more.data(), 1), AVERROR_EOF);
}

}   // namespace
}   // namespace millstream
