// A filter of one's own among the stages, in Torch: filter_with_torch IN OUT makes the picture warmer while it
// enhances.
#include <cstdio>

#include "millstream/torch.h"

namespace {

class Warmer : public millstream::TensorFilter {
public:
    using TensorFilter::process;
    at::Tensor process(at::Tensor batch) override {   // [1,3,h,w], R G B
        batch.select(1, 0).mul_(1.05).clamp_(0, 1);
        batch.select(1, 2).mul_(0.95);
        return batch;
    }
};

}   // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: filter_with_torch IN OUT\n");
        return 2;
    }
    millstream::Options options;
    options.input = argv[1];
    options.output = argv[2];
    try {
        Warmer warmer;
        const millstream::Report report = millstream::enhance(options, warmer);
        std::printf("%lld frames, %.2f copies a frame\n", static_cast<long long>(report.frames),
                    report.copies_per_frame);
        return 0;
    } catch (const millstream::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return error.exit_code();
    }
}
