// Frames one by one, and filters, through the public API. What files come out is tested from Python (tests/python).
#include "millstream/frames.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "millstream/error.h"
#include "millstream/torch.h"

namespace millstream {
namespace {

// A folder with ten moving frames of 96x64 in it.
class Frames : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-frames-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        options_.input = folder_ / "in.mkv";
        options_.output = folder_ / "out.mkv";
        options_.model = "identity";
        options_.scale = 1;
        options_.temporal = TemporalPreset::off;
        options_.preset = "ultrafast";
        const std::string command =
            "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=size=96x64:rate=24 -frames:v 10 -c:v ffv1 -pix_fmt "
            "yuv444p " +
            options_.input.string();
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
    Options options_;
};

TEST_F(Frames, pixels_are_written_on_first_request_and_given_back_with_the_last_share) {
    FrameReader reader(options_);
    VideoFrame frame = reader.next();
    EXPECT_EQ(reader.counts().planar_writes, 0);
    at::Tensor tensor = tensor_of(frame);
    EXPECT_EQ(tensor.data_ptr(), static_cast<void*>(frame.planar().data));
    PackedPixels packed = frame.packed();
    EXPECT_EQ(packed.data, frame.packed().data);
    EXPECT_EQ(reader.counts().planar_writes, 1);
    EXPECT_EQ(reader.counts().packed_writes, 1);
    EXPECT_EQ(reader.counts().live, 1);
    frame = {};
    EXPECT_EQ(reader.counts().live, 0);
    EXPECT_EQ(reader.counts().buffers_in_use, 2);   // the views keep the memory
    EXPECT_GE(tensor.sum().item<float>(), 0);
    tensor.reset();
    packed = {};
    EXPECT_EQ(reader.counts().buffers_in_use, 0);
    EXPECT_EQ(reader.counts().buffers, 2);   // back in their pools
}

TEST_F(Frames, a_video_has_its_frames_in_order_and_then_an_empty_one) {
    FrameReader reader(options_);
    std::int64_t count = 0;
    for (VideoFrame frame = reader.next(); !frame.empty(); frame = reader.next()) {
        EXPECT_EQ(frame.index(), count);
        EXPECT_NEAR(frame.time_s(), static_cast<double>(count) / 24, 0.001);
        ++count;
    }
    EXPECT_EQ(count, 10);
    EXPECT_LE(reader.counts().buffers, 2);
}

TEST_F(Frames, an_identity_gives_the_frames_back_through_a_stream) {
    FrameReader reader(options_);
    FrameReader again(options_);
    FrameEnhancer enhancer(options_);
    std::int64_t count = 0;
    enhancer.stream([&] { return reader.next(); },
                    [&](const VideoFrame& frame) {
                        EXPECT_EQ(frame.index(), count++);
                        EXPECT_TRUE(at::equal(tensor_of(frame), tensor_of(again.next())));
                    });
    EXPECT_EQ(count, 10);
    EXPECT_EQ(enhancer.in_flight(), 0);
}

TEST_F(Frames, a_frame_of_another_size_in_the_stream_starts_anew_and_loses_none) {
    FrameEnhancer enhancer(options_);
    std::vector<at::Tensor> pictures;
    for (const int side : {32, 32, 48, 40}) {
        pictures.push_back(at::rand({3, side, side}, at::kFloat));
        enhancer.push(frame_of(pictures.back()));
    }
    for (const at::Tensor& picture : pictures) {
        EXPECT_TRUE(at::equal(tensor_of(enhancer.drain()), picture));
    }
    EXPECT_TRUE(enhancer.drain().empty());
}

TEST_F(Frames, a_reset_drops_what_is_in_flight_without_making_frames_of_it) {
    FrameEnhancer enhancer(options_);
    const at::Tensor picture = at::rand({3, 32, 32}, at::kFloat);
    for (int i = 0; i < 3; ++i) {
        enhancer.push(frame_of(picture));
    }
    EXPECT_EQ(enhancer.in_flight(), 3);
    enhancer.reset();
    EXPECT_EQ(enhancer.in_flight(), 0);
    EXPECT_EQ(enhancer.counts().planar_writes, 0);
    EXPECT_EQ(enhancer.counts().buffers_in_use, 0);
    enhancer.push(frame_of(picture));   // and goes on
    EXPECT_TRUE(at::equal(tensor_of(enhancer.drain()), picture));
    EXPECT_TRUE(enhancer.drain().empty());
}

TEST_F(Frames, torchs_own_number_of_threads_stays_as_it_was) {
    const int before = at::get_num_threads();
    options_.threads = 1;
    options_.temporal = TemporalPreset::medium;
    FrameEnhancer enhancer(options_);
    enhancer.push(frame_of(at::rand({3, 32, 32}, at::kFloat)));
    enhancer.drain();
    EXPECT_EQ(at::get_num_threads(), before);
}

TEST_F(Frames, a_writer_without_finish_leaves_no_file) {
    {
        FrameReader reader(options_);
        FrameWriter writer(options_.output, reader, options_);
        writer.write(reader.next());
    }
    EXPECT_FALSE(std::filesystem::exists(options_.output));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out.mkv.part"));
}

TEST_F(Frames, a_writer_refuses_frames_of_another_size_or_out_of_order) {
    FrameReader reader(options_);
    FrameWriter writer(options_.output, reader, options_);
    const VideoFrame first = reader.next();
    writer.write(first);
    EXPECT_THROW(writer.write(first), Error);
    EXPECT_THROW(writer.write(frame_of(at::rand({3, 8, 8}, at::kFloat))), Error);
    EXPECT_EQ(writer.finish(), 1);
    EXPECT_THROW(writer.write(reader.next()), Error);
}

// Remembers what it was given, and gives white back in memory of its own.
class White : public TensorFilter {
public:
    explicit White(int batch) : batch_(batch) {}
    using TensorFilter::process;
    [[nodiscard]] int batch_frames() const override { return batch_; }
    at::Tensor process(at::Tensor batch) override {
        sizes.push_back(batch.size(0));
        return at::ones_like(batch);
    }
    std::vector<std::int64_t> sizes;

private:
    int batch_;
};

TEST_F(Frames, a_filters_result_is_encoded_in_batches_as_asked) {
    White white(4);
    const Report report = enhance(options_, white);
    EXPECT_EQ(report.frames, 10);
    EXPECT_EQ(white.sizes, (std::vector<std::int64_t>{4, 4, 2}));
    Options result = options_;
    result.input = options_.output;
    FrameReader reader(result);
    EXPECT_GT(tensor_of(reader.next()).min().item<float>(), 0.97F);
}

class Failing : public FrameFilter {
public:
    void process(FilterBatch& /*batch*/) override { throw std::domain_error("no"); }
};

TEST_F(Frames, what_a_filter_throws_comes_out_of_enhance_and_nothing_is_left) {
    Failing failing;
    EXPECT_THROW(enhance(options_, failing), std::domain_error);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out.mkv.part"));
}

TEST_F(Frames, an_exact_size_and_one_that_fits_are_made_by_the_enhancer) {
    options_.size = Size{50, 30};
    FrameEnhancer exact(options_);
    EXPECT_EQ(exact.enhance(frame_of(at::rand({3, 32, 48}, at::kFloat))).size(), (Size{50, 30}));
    options_.size.reset();
    options_.fit = Size{100, 40};
    FrameEnhancer fitting(options_);
    EXPECT_EQ(fitting.enhance(frame_of(at::rand({3, 32, 48}, at::kFloat))).size(), (Size{60, 40}));
    options_.size = Size{50, 30};
    EXPECT_THROW(FrameEnhancer{options_}, Error);
}

}   // namespace
}   // namespace millstream
