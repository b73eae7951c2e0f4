// Pictures that stay on the device that decodes them. FFmpeg's own way to NVIDIA's decoder is run; the driver that it
// loads is one that is none (tests/media/stand_in): what it draws is not the file's content.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "media/decoder.h"
#include "media/device_pictures.h"
#include "media/stand_in/driver.h"
#include "media/synthetic_file.h"
#include "media/temporary_folder.h"
#include "media/video_encoder.h"

namespace millstream {
namespace {

class StayingPictures : public ::testing::Test {
protected:
    // FFmpeg finds a library of that name loaded already.
    static void SetUpTestSuite() {
        if (dlopen("libcuda.so.1", RTLD_NOW) != nullptr) {
            return;   // NVIDIA's own
        }
        void* const driver = dlopen(MILLSTREAM_STAND_IN_CUDA, RTLD_NOW | RTLD_GLOBAL);
        ASSERT_NE(driver, nullptr) << dlerror();
        ASSERT_NE(dlopen(MILLSTREAM_STAND_IN_NVCUVID, RTLD_NOW), nullptr) << dlerror();
        ASSERT_NE(dlopen(MILLSTREAM_STAND_IN_NVIDIA_ENCODE, RTLD_NOW), nullptr) << dlerror();
        counts_ = reinterpret_cast<stand_in::CountsFunction*>(dlsym(driver, "stand_in_counts"))();
    }
    void SetUp() override {
        if (counts_ == nullptr) {
            GTEST_SKIP() << "this machine has NVIDIA's driver";
        }
        *counts_ = {};
    }

    // Sizes that coded pictures are cropped to.
    [[nodiscard]] SourceInfo file(AVPixelFormat format) const {
        testing::SyntheticVideo video;
        video.encoder = format == AV_PIX_FMT_YUV420P ? "libx264" : "libx265";
        video.settings = testing::with_b_frames();
        if (video.encoder == "libx265") {
            video.settings = {{"preset", "ultrafast"}, {"x265-params", "log-level=error"}};
        }
        video.format = format;
        video.tag_colour = true;
        video.colour = {.matrix = 1, .primaries = 1, .transfer = 1};
        video.width = 98;
        video.height = 66;
        video.pts = testing::constant_rate(kFrames, 512);
        testing::write_file(folder_ / "video.mkv", "matroska", {{video}, {}});
        return probe(folder_ / "video.mkv");
    }
    static DecoderSettings by_device(bool staying) {
        DecoderSettings settings{.threads = 3, .hwaccel = "cuda"};
        if (staying) {
            settings.stay = DevicePlace{kDevice, &stream_};
        }
        return settings;
    }

    // What a stage behind the decoder makes of it. The stand-in's memory is the host's.
    static Picture planar(const Picture& picture) {
        Picture result = PicturePool(picture.format, picture.width, picture.height).take();
        const int bytes = picture.format.bytes_per_sample();
        for (int plane = 0; plane < 3; ++plane) {
            const auto index = static_cast<std::size_t>(plane);
            const int step = plane == 0 ? 1 : picture.on_device->chroma_step;
            for (int y = 0; y < picture.format.plane_height(plane, picture.height); ++y) {
                for (int x = 0; x < picture.format.plane_width(plane, picture.width); ++x) {
                    const std::byte* from =
                        picture.planes[index].data + y * picture.planes[index].stride + x * step * bytes;
                    std::byte* to = result.planes[index].data + y * result.planes[index].stride + x * bytes;
                    if (bytes == 1) {
                        *to = *from;
                    } else {
                        *reinterpret_cast<std::uint16_t*>(to) = static_cast<std::uint16_t>(
                            *reinterpret_cast<const std::uint16_t*>(from) >> picture.on_device->empty_bits);
                    }
                }
            }
        }
        return result;
    }
    struct Seen {
        std::vector<std::int64_t> pts;
        std::vector<std::uint64_t> hashes;
        std::int64_t on_device = 0;
        std::int64_t resized = 0;
    };
    // As many pictures are kept as stages and queues between them keep.
    static Seen decode(const SourceInfo& source, const DecoderSettings& settings) {
        constexpr std::size_t kKept = 4;
        VideoDecoder decoder(source, settings);
        std::deque<Picture> kept;
        Seen seen;
        const auto look = [&] {
            const Picture& picture = kept.front();
            seen.hashes.push_back(testing::hash(picture.on_device ? planar(picture) : picture));
            kept.pop_front();
        };
        while (auto picture = decoder.next()) {
            seen.pts.push_back(picture->pts);
            if (picture->on_device) {
                EXPECT_EQ(picture->on_device->device, kDevice);
            }
            kept.push_back(*std::move(picture));
            if (kept.size() > kKept) {
                look();
            }
        }
        while (!kept.empty()) {
            look();
        }
        EXPECT_EQ(decoder.statistics().corrupt_packets, 0);
        seen.on_device = decoder.statistics().on_device;
        seen.resized = decoder.statistics().resized_frames;
        return seen;
    }

    static constexpr int kFrames = 24;
    static constexpr int kDevice = 1;
    inline static int stream_ = 0;   // its address stands for one of the device's
    inline static stand_in::Counts* counts_ = nullptr;
    testing::TemporaryFolder folder_;
};

TEST_F(StayingPictures, are_the_fetched_ones_in_the_context_and_on_the_stream_of_everything_else_there) {
    for (const AVPixelFormat format : {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV420P12}) {
        SCOPED_TRACE(av_get_pix_fmt_name(format));
        const SourceInfo source = file(format);
        *counts_ = {};
        const Seen fetched = decode(source, by_device(false));
        ASSERT_EQ(fetched.hashes.size(), static_cast<std::size_t>(kFrames));
        EXPECT_EQ(fetched.on_device, 0);
        EXPECT_EQ(fetched.resized, 0) << "what FFmpeg calls it there is not what it is";
        EXPECT_EQ(counts_->other_contexts, 1);
        EXPECT_FALSE(counts_->decodes_in_primary);
        EXPECT_LE(counts_->most_mapped, 2) << "given back at once";

        *counts_ = {};
        const Seen stayed = decode(source, by_device(true));
        EXPECT_EQ(stayed.on_device, kFrames);
        EXPECT_EQ(stayed.pts, fetched.pts);
        EXPECT_EQ(stayed.hashes, fetched.hashes);
        EXPECT_EQ(counts_->other_contexts, 0);
        EXPECT_TRUE(counts_->decodes_in_primary);
        EXPECT_EQ(counts_->output_stream, &stream_);
        EXPECT_GT(counts_->most_mapped, 4);
    }
}

TEST_F(StayingPictures, let_the_device_go_with_the_last_of_them) {
    Picture last;
    {
        VideoDecoder decoder(file(AV_PIX_FMT_YUV420P), by_device(true));
        last = decoder.next().value();
        EXPECT_EQ(counts_->primary_context_users, 1);
    }
    ASSERT_TRUE(last.on_device);
    EXPECT_EQ(counts_->mapped, 1);
    last = {};
    EXPECT_EQ(counts_->mapped, 0);
    EXPECT_EQ(counts_->decoders, 0);
    EXPECT_EQ(counts_->allocations, 0);
    EXPECT_EQ(counts_->primary_context_users, 0);
}

TEST_F(StayingPictures, can_be_fetched_one_by_one) {
    const SourceInfo source = file(AV_PIX_FMT_YUV420P);
    VideoDecoder staying(source, by_device(true));
    VideoDecoder fetching(source, by_device(false));
    for (int i = 0; i < kFrames; ++i) {
        const auto here = fetching.next();
        const auto there = staying.next();
        ASSERT_TRUE(here && there && there->on_device);
        const Picture got = staying.fetched(*there);
        EXPECT_FALSE(got.on_device);
        EXPECT_EQ(testing::hash(got), testing::hash(*here));
        EXPECT_EQ(got.pts, here->pts);
        EXPECT_EQ(got.duration, here->duration);
    }
}

TEST_F(StayingPictures, are_cut_where_they_are) {
    SourceInfo source = file(AV_PIX_FMT_YUV420P);
    const CropArea area{10, 6, 64, 48, 98, 66};
    use_crop(source, area);
    DecoderSettings settings = by_device(false);
    settings.crop = area;
    const Seen fetched = decode(source, settings);
    settings.stay = by_device(true).stay;
    const Seen stayed = decode(source, settings);
    EXPECT_EQ(stayed.on_device, kFrames);
    EXPECT_EQ(stayed.hashes, fetched.hashes);
}

TEST_F(StayingPictures, are_fetched_for_what_the_host_does_with_them) {
    SourceInfo source = file(AV_PIX_FMT_YUV420P);
    DecoderSettings settings = by_device(true);
    settings.deinterlacing.rate = DeinterlacedRate::frames;
    EXPECT_EQ(decode(source, settings).on_device, 0);
    source.streams[0].video->colour.matrix = 9;   // not that of the pictures: they are converted
    const Seen other = decode(source, by_device(true));
    EXPECT_EQ(other.hashes.size(), static_cast<std::size_t>(kFrames));
    EXPECT_EQ(other.on_device, 0);
    EXPECT_EQ(other.resized, kFrames);
}

EncoderSettings on_nvenc(PixelFormat format) {
    EncoderSettings settings;
    settings.encoder = "hevc_nvenc";
    settings.width = 98;
    settings.height = 66;
    settings.format = format;
    return settings;
}

TEST_F(StayingPictures, for_an_encoder_lie_in_the_devices_memory_and_go_back_to_it) {
    for (const int depth : {8, 10}) {
        std::vector<Picture> pictures;
        {
            DevicePictures pool(DevicePlace{kDevice, &stream_}, on_nvenc({.depth = depth}));
            EXPECT_EQ(counts_->primary_context_users, 1);
            EXPECT_EQ(counts_->other_contexts, 0);
            for (int i = 0; i < 3; ++i) {
                pictures.push_back(pool.take());
                const Picture& made = pictures.back();
                ASSERT_TRUE(made.on_device);
                EXPECT_EQ(*made.on_device, (DevicePlanes{kDevice, 2, depth == 8 ? 0 : 6}));
                EXPECT_EQ(made.width, 98);
                EXPECT_EQ(made.height, 66);
                EXPECT_EQ(made.planes[2].data - made.planes[1].data, made.format.bytes_per_sample());
            }
            EXPECT_EQ(counts_->allocations, 3);
            pictures.pop_back();
            pictures.push_back(pool.take());
            EXPECT_EQ(counts_->allocations, 3) << "used again";
        }
        EXPECT_EQ(counts_->primary_context_users, 1) << "pictures outlive the pool";
        pictures.clear();
        EXPECT_EQ(counts_->allocations, 0);
        EXPECT_EQ(counts_->primary_context_users, 0);
    }
}

TEST_F(StayingPictures, are_for_nvenc_with_what_it_reads) {
    EXPECT_TRUE(reads_on_device(on_nvenc({})));
    EXPECT_TRUE(reads_on_device(on_nvenc({.depth = 10})));
    EXPECT_FALSE(reads_on_device(on_nvenc({.depth = 12})));
    EXPECT_FALSE(reads_on_device(on_nvenc({.chroma_shift_x = 0, .chroma_shift_y = 0})));
    EncoderSettings settings = on_nvenc({});
    settings.extra = {{"gpu", "1"}};
    EXPECT_FALSE(reads_on_device(settings)) << "perhaps another GPU";
    settings = on_nvenc({.depth = 10});
    settings.encoder = "h264_nvenc";
    EXPECT_TRUE(reads_on_device(settings)) << "p010 is among what it takes; try_encoder() tells what it does not";
    settings.encoder = "libx264";
    EXPECT_FALSE(reads_on_device(settings));
}

// A picture of `pool` with content of its own, and the hash of that, as the stand-in's encoder takes it.
std::pair<Picture, std::uint64_t> filled(DevicePictures& pool, int n) {
    Picture picture = pool.take();
    const auto bytes = static_cast<std::size_t>(picture.width * picture.format.bytes_per_sample());
    std::uint64_t value = testing::hash(nullptr, 0);
    for (const int plane : {0, 1}) {
        const Plane& rows = picture.planes[static_cast<std::size_t>(plane)];
        for (int y = 0; y < picture.format.plane_height(plane, picture.height); ++y) {
            std::byte* const row = rows.data + y * rows.stride;
            std::fill_n(row, bytes, static_cast<std::byte>(n * 31 + y * 3 + plane));
            value = testing::hash(reinterpret_cast<const std::uint8_t*>(row), bytes, value);
        }
    }
    return {std::move(picture), value};
}

TEST_F(StayingPictures, are_read_by_nvenc_where_they_are_and_held_for_as_long_as_it_needs) {
    for (const int depth : {8, 10}) {
        SCOPED_TRACE(depth);
        *counts_ = {};
        EncoderSettings settings = on_nvenc({.depth = depth});
        settings.pixel_format_name = depth == 8 ? "yuv420p" : "p010le";
        std::vector<std::uint64_t> wanted;
        std::vector<std::uint64_t> got;
        {
            DevicePictures pool(DevicePlace{kDevice, &stream_}, settings);
            VideoEncoder encoder(settings, false, &pool);
            EXPECT_TRUE(counts_->encodes_in_primary);
            EXPECT_EQ(counts_->input_stream, &stream_);
            EXPECT_EQ(counts_->other_contexts, 0);
            const av::Packet packet = av::make_packet();
            const auto collect = [&] {
                while (encoder.receive(*packet)) {
                    ASSERT_EQ(packet->size, static_cast<int>(sizeof(std::uint64_t)));
                    EXPECT_EQ(packet->pts, static_cast<std::int64_t>(got.size()));
                    std::memcpy(&got.emplace_back(), packet->data, sizeof(std::uint64_t));
                    av_packet_unref(packet.get());
                }
            };
            for (int i = 0; i < kFrames; ++i) {
                auto [picture, hash] = filled(pool, i);
                wanted.push_back(hash);
                encoder.send(picture, i);
                picture = {};
                collect();
            }
            encoder.drain();
            collect();
            EXPECT_LT(counts_->allocations, kFrames) << "given back behind their packets";
        }
        EXPECT_EQ(got, wanted);
        EXPECT_EQ(counts_->allocations, 0);
        EXPECT_EQ(counts_->primary_context_users, 0);
    }
}

}   // namespace
}   // namespace millstream
