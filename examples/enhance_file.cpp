// Enhances one file with the public API and shows progress: enhance_file IN OUT
#include <cstdio>
#include <string>

#include "millstream/error.h"
#include "millstream/job.h"

namespace {

// Called by `enhance` from the thread that called it.
class Percentage : public millstream::Observer {
public:
    void on_plan(const millstream::Plan& plan) override {
        std::printf("%s on %s, %dx%d -> %dx%d\n", plan.model.c_str(), plan.device.c_str(), plan.input_size.width,
                    plan.input_size.height, plan.output_size.width, plan.output_size.height);
    }
    void on_progress(const millstream::Progress& progress) override {
        std::printf("\r%5.1f %%  %.2f frames/s", 100 * progress.fraction, progress.fps);
        std::fflush(stdout);
    }
    void on_message(millstream::Severity /*severity*/, const std::string& text) override {
        std::printf("\n%s\n", text.c_str());
    }
};

}   // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: enhance_file IN OUT\n");
        return 2;
    }
    millstream::Options options;   // defaults: realesr-animevideov3, twice the size, H.264
    options.input = argv[1];
    options.output = argv[2];
    try {
        Percentage percentage;
        const millstream::Report report = millstream::enhance(options, &percentage);
        std::printf("\n%lld frames in %.1f s\n", static_cast<long long>(report.frames), report.wall_s);
        return 0;
    } catch (const millstream::Error& error) {
        std::fprintf(stderr, "\n%s\n", error.what());
        return error.exit_code();
    }
}
