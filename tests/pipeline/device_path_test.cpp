// Frames that stay on a device: what crosses the bus, and what comes out. The device is one that counts
// (tests/model/counted_device.h); its arithmetic is the host's.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "frame/pictures.h"
#include "model/counted_device.h"
#include "model/networks.h"
#include "pipeline/stages.h"

namespace millstream {
namespace {

constexpr Size kFrame{64, 48};
constexpr int kFrames = 4;
constexpr Colour kColour{.matrix = 1, .chroma_location = ChromaLocation::left};

EncoderSettings encoder_of_same_size() {
    EncoderSettings encoder;
    encoder.width = kFrame.width;
    encoder.height = kFrame.height;
    encoder.colour = kColour;
    return encoder;
}

std::vector<Picture> sources() {
    std::vector<Picture> pictures;
    for (int i = 0; i < kFrames; ++i) {
        Picture picture = blank({}, kFrame.width, kFrame.height);
        picture.colour = kColour;
        fill_noise(picture, 0, static_cast<std::uint32_t>(i));
        fill_smooth(picture, 1);
        fill_smooth(picture, 2);
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

// Through the stages, by the host where `link` is null.
std::vector<Picture> results(std::shared_ptr<DeviceLink> link, int tile) {
    const Network network = identity_network();
    EnhanceStage::Settings settings;
    settings.enhancer.executor = {.backend = Backend::torch, .precision = Precision::fp32, .threads = 1, .requests = 2};
    if (link) {
        settings.enhancer.executor.device = "cuda:0";
        settings.enhancer.executor.links = {link};
    }
    settings.enhancer.frame = kFrame;
    settings.enhancer.layout = {tile == 0 ? kFrame : Size{tile, tile}, 0, 0};
    settings.keep_input = true;
    settings.link = link;
    SteadyEnhancer::Surroundings surroundings;
    surroundings.make_executor = [&](const ExecutorSettings& wanted) { return make_executor(network, wanted); };
    ToTensorStage to_tensor({}, kFrame.width, kFrame.height, false, link);
    EnhanceStage enhance(settings, surroundings, {});
    ColourFixStage fix(1);
    ToPictureStage to_picture(kFrame, encoder_of_same_size(), link);
    LiveFrames live;
    std::vector<Picture> pictures;
    const Emit take = [&](Item item) {
        if (auto* frame = std::get_if<Frame>(&item)) {
            pictures.push_back(frame->result);
        }
    };
    const Emit behind = [&](Item item) {
        fix.process(std::move(item), [&](Item fixed) { to_picture.process(std::move(fixed), take); });
    };
    std::int64_t index = 0;
    for (Picture& source : sources()) {
        Frame frame(live, index++);
        frame.source = std::move(source);
        to_tensor.process(std::move(frame), [&](Item item) { enhance.process(std::move(item), behind); });
    }
    enhance.process(Mark::end_of_stream, behind);
    return pictures;
}

TEST(DevicePath, r2_4_planes_cross_the_bus_as_they_are_once_each_way_beside_the_work_and_nothing_else_does) {
    CountedMemory memory;
    {
        const auto device = std::make_shared<CountedDevice>(memory, true);
        const std::vector<Picture> there = results(device, 0);
        ASSERT_EQ(there.size(), static_cast<std::size_t>(kFrames));
        const LinkTraffic& traffic = device->traffic();
        const std::uint64_t planes = kFrames * kFrame.width * kFrame.height * 3 / 2;
        EXPECT_EQ(traffic.uploads.load(), 3 * kFrames);
        EXPECT_EQ(traffic.uploaded_bytes.load(), planes);
        EXPECT_EQ(traffic.downloads.load(), 3 * kFrames);
        EXPECT_EQ(traffic.downloaded_bytes.load(), planes);
        EXPECT_EQ(traffic.synchronisations.load(), kFrames) << "nobody waits but the encoder's side, once a frame";
        const CountedDevice::Counts counts = device->counts();
        EXPECT_EQ(counts.host_waits, traffic.synchronisations.load());
        EXPECT_EQ(counts.pageable_copies, 0) << "such a copy holds the host up";
        EXPECT_EQ(counts.page_locked_copies, 6 * kFrames);
        const std::map<DeviceStream, std::int64_t> each_way{{DeviceStream::upload, 3 * kFrames},
                                                            {DeviceStream::download, 3 * kFrames}};
        EXPECT_EQ(counts.asked, each_way) << "beside the device's work";
        const std::uint64_t planned = 2 * staging_bytes(planes / kFrames);
        EXPECT_LE(counts.buffers, 4) << "made once, however many frames there are";
        EXPECT_LE(counts.page_locked_bytes, planned);
    }
    EXPECT_EQ(memory.live(), 0U) << "a frame's memory is let go";
}

TEST(DevicePath, gives_the_pictures_that_the_host_gives_within_two_codes) {
    const std::vector<Picture> wanted = results(nullptr, 0);
    CountedMemory memory;
    for (const int tile : {0, 32}) {
        const std::vector<Picture> got = results(std::make_shared<CountedDevice>(memory, true), tile);
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            for (int plane = 0; plane < 3; ++plane) {
                EXPECT_LE(difference(got[i], wanted[i], plane).largest, 2) << "frame " << i << " plane " << plane;
            }
        }
    }
}

TEST(DevicePath, a_matrix_that_the_device_does_not_know_is_converted_by_the_host) {
    CountedMemory memory;
    {
        const auto device = std::make_shared<CountedDevice>(memory, true);
        ToTensorStage to_tensor({}, kFrame.width, kFrame.height, false, device);
        LiveFrames live;
        Frame frame(live, 0);
        frame.source = sources().front();
        frame.source.colour.matrix = 8;   // YCgCo
        to_tensor.process(std::move(frame), [](const Item& item) {
            EXPECT_EQ(std::get<Frame>(item).input.sizes(), (std::vector<std::int64_t>{3, kFrame.height, kFrame.width}));
        });
        EXPECT_EQ(device->traffic().uploads.load(), 1);
        EXPECT_EQ(device->traffic().uploaded_bytes.load(), sizeof(float) * 3 * kFrame.width * kFrame.height);
    }
}

}   // namespace
}   // namespace millstream
