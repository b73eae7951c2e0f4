// Frames that stay on a device: what crosses the bus, and what comes out. The device is one that counts
// (tests/model/counted_device.h); its arithmetic is the host's.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "frame/pictures.h"
#include "model/counted_device.h"
#include "model/networks.h"
#include "pipeline/device_path.h"
#include "pipeline/stages.h"

namespace millstream {
namespace {

constexpr Size kFrame{64, 48};
constexpr int kFrames = 4;
constexpr Colour kColour{.matrix = 1, .chroma_location = ChromaLocation::left};

EncoderSettings encoder_of_same_size(const PixelFormat& format = {}) {
    EncoderSettings encoder;
    encoder.format = format;
    encoder.width = kFrame.width;
    encoder.height = kFrame.height;
    encoder.colour = kColour;
    return encoder;
}

std::vector<Picture> sources(const PixelFormat& format = {}) {
    std::vector<Picture> pictures;
    for (int i = 0; i < kFrames; ++i) {
        Picture picture = blank(format, kFrame.width, kFrame.height);
        picture.colour = kColour;
        fill_noise(picture, 0, static_cast<std::uint32_t>(i));
        fill_smooth(picture, 1);
        fill_smooth(picture, 2);
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

// How what did not change is carried on.
struct Carrying {
    std::optional<ReuseSettings> reuse;
    Network network = identity_network();   // of scale 1
    std::int64_t first = 0;                 // index of the first frame
    std::int64_t chunk_frames = 0;
    std::uint64_t limit = 0;               // bytes of the device, from the third frame on
    ReuseCounts counts = {};               // found
    std::vector<BackOff> back_offs = {};   // likewise
};

// The sources through the stages, by the host where `link` is null.
std::vector<Picture> results(std::shared_ptr<DeviceLink> link, int tile, std::vector<Picture> pictures_in,
                             const std::function<Picture()>& surface, Carrying& carrying) {
    const PixelFormat format = pictures_in.front().format;
    const Network& network = carrying.network;
    EnhanceStage::Settings settings;
    settings.enhancer.executor = {.backend = Backend::torch, .precision = Precision::fp32, .threads = 1, .requests = 2};
    if (link) {
        settings.enhancer.executor.device = "cuda:0";
        settings.enhancer.executor.links = {link};
    }
    settings.enhancer.frame = kFrame;
    settings.enhancer.layout = {tile == 0 ? kFrame : Size{tile, tile}, network.receptive_radius, 0};
    settings.keep_input = true;
    settings.link = link;
    settings.reuse = carrying.reuse;
    settings.chunk_frames = carrying.chunk_frames;
    settings.find_motion = FlowQuality::fast;
    SteadyEnhancer::Surroundings surroundings;
    surroundings.make_executor = [&](const ExecutorSettings& wanted) { return make_executor(network, wanted); };
    ToTensorStage to_tensor(format, kFrame.width, kFrame.height, false, link);
    EnhanceStage enhance(settings, surroundings, {});
    ColourFixStage fix(1);
    ToPictureStage to_picture(kFrame, encoder_of_same_size(format), link, surface);
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
    std::int64_t index = carrying.first;
    for (Picture& source : pictures_in) {
        Frame frame(live, index++);
        frame.source = std::exchange(source, {});
        const std::weak_ptr<void> decoders = frame.source.owner;
        to_tensor.process(std::move(frame), [&](Item item) {
            EXPECT_TRUE(decoders.expired()) << "the decoder wants its memory back";
            enhance.process(std::move(item), behind);
        });
    }
    enhance.process(Mark::end_of_stream, behind);
    carrying.counts = enhance.reuse_counts();
    return pictures;
}

std::vector<Picture> results(std::shared_ptr<DeviceLink> link, int tile, std::vector<Picture> pictures_in = sources(),
                             const std::function<Picture()>& surface = nullptr) {
    Carrying none;
    return results(std::move(link), tile, std::move(pictures_in), surface, none);
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

TEST(DevicePath, planes_that_a_decoder_has_left_on_the_device_give_the_same_pictures_and_are_not_uploaded) {
    for (const PixelFormat& format : {PixelFormat{}, PixelFormat{.depth = 10}, PixelFormat{.depth = 12}}) {
        SCOPED_TRACE(describe_format(format));
        CountedMemory memory;
        {
            const std::vector<Picture> uploaded =
                results(std::make_shared<CountedDevice>(memory, true), 0, sources(format));
            std::vector<Picture> decoded = sources(format);
            std::transform(decoded.begin(), decoded.end(), decoded.begin(), as_decoded_on_device);
            const auto device = std::make_shared<CountedDevice>(memory, true);
            const std::vector<Picture> stayed = results(device, 0, std::move(decoded));
            ASSERT_EQ(stayed.size(), uploaded.size());
            for (std::size_t i = 0; i < stayed.size(); ++i) {
                for (int plane = 0; plane < 3; ++plane) {
                    EXPECT_EQ(difference(stayed[i], uploaded[i], plane).largest, 0) << "frame " << i;
                }
            }
            EXPECT_EQ(device->traffic().uploads.load(), 0);
            EXPECT_EQ(device->counts().copies_of_its_own, 3 * kFrames);
            EXPECT_EQ(device->traffic().synchronisations.load(), 2 * kFrames) << "for the decoder's surface, too";
            EXPECT_EQ(device->counts().host_waits, device->traffic().synchronisations.load());
        }
        EXPECT_EQ(memory.live(), 0U) << "a frame's memory is let go";
    }
}

TEST(DevicePath, a_picture_that_could_not_stay_is_uploaded_between_those_that_have) {
    CountedMemory memory;
    const std::vector<Picture> wanted = results(std::make_shared<CountedDevice>(memory, true), 0);
    std::vector<Picture> mixed = sources();
    mixed[1] = as_decoded_on_device(mixed[1]);
    const auto device = std::make_shared<CountedDevice>(memory, true);
    const std::vector<Picture> got = results(device, 0, std::move(mixed));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_EQ(difference(got.at(i), wanted[i], 0).largest, 0) << "frame " << i;
    }
    EXPECT_EQ(device->traffic().uploads.load(), 3 * (kFrames - 1));
}

TEST(DevicePath, an_encoder_that_reads_on_the_device_gets_the_same_planes_there_and_nothing_comes_back) {
    for (const PixelFormat& format : {PixelFormat{}, PixelFormat{.depth = 10}}) {
        SCOPED_TRACE(describe_format(format));
        CountedMemory memory;
        const std::vector<Picture> downloaded =
            results(std::make_shared<CountedDevice>(memory, true), 0, sources(format));
        const auto device = std::make_shared<CountedDevice>(memory, true);
        const std::vector<Picture> there = results(device, 0, sources(format), [&] {
            return as_decoded_on_device(blank(format, kFrame.width, kFrame.height));
        });
        ASSERT_EQ(there.size(), downloaded.size());
        for (std::size_t i = 0; i < there.size(); ++i) {
            ASSERT_TRUE(there[i].on_device);
            const std::vector<at::Tensor> planes =
                without_empty_bits(plane_tensors(there[i], at::kCPU), format, *there[i].on_device);
            const std::vector<at::Tensor> wanted = plane_tensors(downloaded[i]);
            for (std::size_t plane = 0; plane < 3; ++plane) {
                EXPECT_TRUE(planes[plane].equal(wanted[plane])) << "frame " << i << " plane " << plane;
            }
        }
        EXPECT_EQ(device->traffic().downloads.load(), 0);
        EXPECT_EQ(device->traffic().synchronisations.load(), kFrames);
        EXPECT_EQ(device->counts().host_waits, kFrames);
    }
}

TEST(DevicePath, what_is_bit_for_bit_as_before_is_found_and_kept_on_the_device) {
    const auto screen = [] {   // the same twice, then twice with another corner
        std::vector<Picture> pictures;
        for (int i = 0; i < kFrames; ++i) {
            pictures.push_back(std::move(sources().front()));
            set_sample(pictures.back(), 0, 0, 0, i < 2 ? 50 : 200);
        }
        return pictures;
    };
    const ReuseSettings exact = reuse_settings(Reuse::exact, identity_network(), true, Precision::fp32);
    CountedMemory memory;
    {
        const std::vector<Picture> wanted = results(std::make_shared<CountedDevice>(memory, true), 0, screen());
        const auto device = std::make_shared<CountedDevice>(memory, true);
        Carrying carrying{exact};
        const std::vector<Picture> got = results(device, 0, screen(), nullptr, carrying);
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            for (int plane = 0; plane < 3; ++plane) {
                EXPECT_EQ(difference(got[i], wanted[i], plane).largest, 0) << "frame " << i << " plane " << plane;
            }
        }
        EXPECT_EQ(device->traffic().downloads.load(), 3 * kFrames + kFrames - 1) << "a map for each but the first";
        EXPECT_EQ(device->counts().pageable_copies, 0);
    }
    EXPECT_EQ(memory.live(), 0U) << "a frame's memory is let go";
}

constexpr int kMovingFrames = 40;

// Still pictures with a bright square that moves.
std::vector<Picture> moving() {
    std::vector<Picture> pictures;
    for (int i = 0; i < kMovingFrames; ++i) {
        Picture picture = blank({}, kFrame.width, kFrame.height);
        picture.colour = kColour;
        for (int plane = 0; plane < 3; ++plane) {
            fill_smooth(picture, plane);
        }
        for (int y = 20; y < 29; ++y) {
            for (int x = i; x < i + 9; ++x) {
                set_sample(picture, 0, x, y, 220);
            }
        }
        pictures.push_back(std::move(picture));
    }
    return pictures;
}

// A network that is worth it, and whose every block may be looked for along the motion.
Carrying carrying_on(Reuse reuse) {
    Carrying carrying;
    carrying.network = chain({conv(3, 16, 3), prelu(16), conv(16, 3, 3)});
    carrying.network.receptive_radius = 2;
    carrying.network.macs_per_pixel = 600'000;   // as if
    carrying.reuse = reuse_settings(reuse, carrying.network, true, Precision::fp32);
    carrying.reuse->flow_cost = 0;
    return carrying;
}

double mean_square(const Picture& a, const Picture& b) {
    double sum = 0;
    for (int y = 0; y < a.height; ++y) {
        for (int x = 0; x < a.width; ++x) {
            const double off = sample(a, 0, x, y) - sample(b, 0, x, y);
            sum += off * off;
        }
    }
    return sum / (static_cast<double>(a.width) * a.height);
}

TEST(DevicePath, what_changes_little_is_judged_and_carried_on_there_and_a_table_or_two_comes_back) {
    constexpr std::uint64_t kBlocks = 4 * 3;
    CountedMemory memory;
    for (const Reuse reuse : {Reuse::safe, Reuse::fast}) {
        Carrying here = carrying_on(reuse);
        Carrying there = carrying_on(reuse);
        const std::vector<Picture> wanted = results(nullptr, 0, moving(), nullptr, here);
        const auto device = std::make_shared<CountedDevice>(memory, true);
        const std::vector<Picture> got = results(device, 0, moving(), nullptr, there);
        ASSERT_EQ(got.size(), wanted.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_LT(mean_square(got[i], wanted[i]), 1) << "frame " << i << ": the device does not dither";
        }
        EXPECT_LT(there.counts.computed_frames, 0.8 * kMovingFrames);
        EXPECT_EQ(there.counts.whole_frames, here.counts.whole_frames);
        EXPECT_EQ(there.counts.checks, here.counts.checks);
        const LinkTraffic& traffic = device->traffic();
        const std::uint64_t planes = kMovingFrames * kFrame.width * kFrame.height * 3 / 2;
        EXPECT_LE(traffic.downloads.load(), (3 + 2) * kMovingFrames + there.counts.checks);
        EXPECT_LE(traffic.downloaded_bytes.load(), planes + (kMovingFrames * kBlocks * 5 + 2) * sizeof(float));
        EXPECT_LE(traffic.uploaded_bytes.load(), planes + 8 * kMovingFrames * kBlocks) << "few a block";
        EXPECT_EQ(device->counts().pageable_copies, 0);
    }
    EXPECT_EQ(memory.live(), 0U) << "a frame's memory is let go";
}

TEST(DevicePath, a_run_that_goes_on_in_the_middle_carries_on_the_same_there) {
    CountedMemory memory;
    constexpr std::int64_t kChunk = 24;
    constexpr std::int64_t kFrom = kChunk - Chunks::kWarmUp;
    Carrying all = carrying_on(Reuse::safe);
    all.chunk_frames = kChunk;
    const std::vector<Picture> whole =
        results(std::make_shared<CountedDevice>(memory, true), 0, moving(), nullptr, all);
    Carrying rest = carrying_on(Reuse::safe);
    rest.chunk_frames = kChunk;
    rest.first = kFrom;
    std::vector<Picture> pictures = moving();
    pictures.erase(pictures.begin(), pictures.begin() + kFrom);
    const std::vector<Picture> late =
        results(std::make_shared<CountedDevice>(memory, true), 0, std::move(pictures), nullptr, rest);
    ASSERT_EQ(late.size(), whole.size() - kFrom);
    for (std::size_t i = Chunks::kWarmUp; i < late.size(); ++i) {
        EXPECT_EQ(difference(late[i], whole[i + kFrom], 0).largest, 0) << "frame " << i + kFrom;
    }
    EXPECT_LT(rest.counts.computed_frames, static_cast<double>(late.size()));
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

// A job that lets frames stay from decoder to encoder.
class StayingJob : public testing::Test {
protected:
    StayingJob() {
        VideoStreamInfo video;
        video.width = kFrame.width;
        video.height = kFrame.height;
        video.colour = kColour;
        job_.source.streams.resize(1);
        job_.source.streams[0].video = video;
        job_.source.video_stream = 0;
        LoadedModel model;
        model.network = identity_network();
        job_.model = std::make_shared<LoadedModel>(std::move(model));
        job_.encoder = encoder_of_same_size();
        job_.executor.device = "cuda:1";
        job_.executor.links = {device_};
        job_.plan.options.hwaccel = "cuda";
        job_.plan.reuse = Reuse::off;
    }

    CountedMemory memory_;
    std::shared_ptr<DeviceLink> device_ = std::make_shared<CountedDevice>(memory_, true);
    PreparedJob job_;
};

TEST_F(StayingJob, decodes_on_the_device_that_the_network_runs_on) {
    EXPECT_TRUE(stays_on_device(job_));
    ASSERT_TRUE(place_of_decoding(job_));
    EXPECT_EQ(place_of_decoding(job_)->device, 1);
    EXPECT_EQ(words_of_decoding(job_), "Frames that cuda decodes stay on cuda:1.");
    job_.plan.reuse = Reuse::safe;
    EXPECT_TRUE(place_of_decoding(job_)) << "what did not change is found there";
    job_.plan.options.hwaccel.clear();
    EXPECT_FALSE(place_of_decoding(job_));
    EXPECT_EQ(words_of_decoding(job_), "");
}

TEST_F(StayingJob, leaves_frames_for_an_encoder_that_reads_them_there) {
    EXPECT_FALSE(place_of_encoding(job_)) << "an encoder on the processor";
    EXPECT_EQ(words_of_encoding(job_), "");
    job_.encoder.encoder = "h264_nvenc";
    ASSERT_TRUE(place_of_encoding(job_));
    EXPECT_EQ(place_of_encoding(job_)->device, 1);
    EXPECT_EQ(words_of_encoding(job_), "h264_nvenc reads its frames on cuda:1.");
    job_.encoder.width /= 2;
    EXPECT_FALSE(place_of_encoding(job_)) << "frames do not stay that far";
}

TEST_F(StayingJob, carries_on_there_and_says_why_where_frames_go_through_the_hosts_memory) {
    for (const Reuse reuse : {Reuse::safe, Reuse::fast}) {
        job_.plan.reuse = reuse;
        EXPECT_EQ(words_of_refused_reuse(job_), "");
        PreparedJob filtered = job_;
        filtered.filtered = true;
        EXPECT_EQ(words_of_refused_reuse(filtered),
                  "Frames go through the host's memory, so that --reuse is off: a filter of the caller's looks at them "
                  "there.");
        filtered.executor.links.clear();
        EXPECT_EQ(words_of_refused_reuse(filtered), "") << "the processor computes";
        filtered.executor.links = {device_, device_};
        EXPECT_NE(words_of_refused_reuse(filtered), "");
        filtered.plan.reuse = Reuse::exact;
        EXPECT_EQ(words_of_refused_reuse(filtered), "");
    }
}

TEST_F(StayingJob, fetches_decoded_frames_where_something_is_done_in_the_hosts_memory_and_says_what) {
    struct Case {
        const char* why;
        std::function<void(PreparedJob&)> change;
        bool planes_go_up = false;   // and stay from there on
    };
    const auto video = [](PreparedJob& job) -> VideoStreamInfo& { return *job.source.streams[0].video; };
    const std::vector<Case> cases{
        {"only those of cuda", [](auto& job) { job.plan.options.hwaccel = "vaapi"; }, true},
        {"runs on no CUDA device", [](auto& job) { job.executor.links.clear(); }},
        {"several devices", [this](auto& job) { job.executor.links.push_back(device_); }},
        {"a filter", [](auto& job) { job.filtered = true; }},
        {"debug view", [](auto& job) { job.plan.options.debug_view = DebugView::flow; }},
        {"alpha", [](auto& job) { job.encoder.format.alpha = true; }},
        {"another size", [](auto& job) { job.encoder.width /= 2; }},
        {"colour matrix", [&](auto& job) { video(job).colour.matrix = 8; }},
        {"deinterlaced", [](auto& job) { job.deinterlacing.rate = DeinterlacedRate::frames; }, true},
        {"turned", [&](auto& job) { video(job).turned = true; }, true},
        {"4:2:0", [&](auto& job) { video(job).format.chroma_shift_y = 0; }, true},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.why);
        PreparedJob job = job_;
        c.change(job);
        EXPECT_FALSE(place_of_decoding(job));
        EXPECT_EQ(stays_on_device(job), c.planes_go_up);
        EXPECT_NE(words_of_decoding(job).find("fetched into the host's memory: "), std::string::npos);
        EXPECT_NE(words_of_decoding(job).find(c.why), std::string::npos) << words_of_decoding(job);
    }
}

}   // namespace
}   // namespace millstream
