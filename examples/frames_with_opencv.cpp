// A loop of one's own, with OpenCV in it: frames_with_opencv IN OUT marks the lower border of every enhanced frame.
#include <cstdio>

#include "millstream/frames.h"
#include "millstream/opencv.h"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: frames_with_opencv IN OUT\n");
        return 2;
    }
    try {
        const millstream::Options options;   // defaults: realesr-animevideov3, twice the size, H.264
        millstream::FrameReader reader(argv[1]);
        millstream::FrameEnhancer enhancer(options);
        millstream::FrameWriter writer(argv[2], reader, options);
        enhancer.stream(
            [&] { return reader.next(); },
            [&](const millstream::VideoFrame& frame) {
                const millstream::FrameMat view = millstream::mat_of(frame);
                view.mat.rowRange(view.mat.rows - 8, view.mat.rows).setTo(cv::Scalar(0, 0, 255));
                writer.write(
                    millstream::frame_of(view.mat, millstream::ChannelOrder::bgr, view.owner).at_time_of(frame));
            });
        std::printf("%lld frames\n", static_cast<long long>(writer.finish()));
        return 0;
    } catch (const millstream::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return error.exit_code();
    }
}
