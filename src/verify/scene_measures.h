// PSNR, SSIM and levels, gathered by scene.
#pragma once

#include <cstdint>
#include <vector>

#include "millstream/verify.h"
#include "verify/findings.h"

namespace millstream {

/// What was measured of one frame.
struct FrameMeasures {
    std::int64_t frame = 0;
    double time_s = 0;
    double mse = 0;   ///< luma, 0..1 scale
    double ssim = 0;
    double detail = 0;           ///< detail_energy of the source
    std::vector<double> shift;   ///< result less source, mean of each plane in 8-bit steps
};

/// Collects frames into scenes and judges each scene when it has ended. Holds a histogram and the ten worst frames of
/// the current scene, and the list of scenes.
class SceneMeasures {
public:
    SceneMeasures(const VerifyOptions& options, Findings& findings) : options_(options), findings_(findings) {}

    void add(const FrameMeasures& frame, bool begins_scene);
    std::vector<SceneQuality> finish();

private:
    struct Frame {
        std::int64_t frame = 0;
        double time_s = 0;
        double psnr_db = 0;
        double margin_db = 0;
    };
    void end_scene();
    void judge_scene(const SceneQuality& scene);
    void judge_frames();
    void judge_levels(const SceneQuality& scene);
    [[nodiscard]] double median_margin_db() const;

    const VerifyOptions& options_;
    Findings& findings_;
    std::vector<SceneQuality> scenes_;
    SceneQuality scene_;
    double mse_ = 0;
    double detail_ = 0;
    std::vector<Frame> worst_;              // by margin, the worst first
    std::vector<std::int64_t> histogram_;   // of margins
};

}   // namespace millstream
