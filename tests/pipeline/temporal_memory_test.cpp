// What motion and lock take, held against what is planned for them. MILLSTREAM_MEASURE=1 prints it.
#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <vector>

#include "enhance/steady_enhancer.h"
#include "motion/estimator.h"
#include "pipeline/temporal_stages.h"
#include "resource/allocator.h"
#include "resource/memory.h"
#include "temporal/lock.h"

namespace millstream {
namespace {

constexpr Size kFrame{1600, 900};
constexpr int kScale = 2;
constexpr double kPixels = static_cast<double>(kFrame.width) * kFrame.height;

// A textured picture that moves by two pixels a frame, under noise: no shortcut of still pictures is taken.
std::vector<at::Tensor> moving_pictures(int count) {
    at::manual_seed(5);
    const at::Tensor coarse = at::rand({1, 3, kFrame.height / 10, kFrame.width / 10});
    const at::Tensor picture = at::upsample_bilinear2d(coarse, {kFrame.height, kFrame.width + 2 * count}, false)[0];
    std::vector<at::Tensor> pictures;
    for (int i = 0; i < count; ++i) {
        pictures.push_back(
            (picture.narrow(2, 2 * i, kFrame.width) + at::randn({3, kFrame.height, kFrame.width}).mul_(0.003))
                .contiguous());
    }
    return pictures;
}

// Growth of the resident memory at its peak while `work` runs, in bytes an input pixel.
template <class Work>
double growth_of(const Work& work) {
    release_caches();
    const std::uint64_t before = resident_bytes();
    reset_peak_resident_bytes();
    work();
    return static_cast<double>(peak_resident_bytes() - before) / kPixels;
}

TEST(TemporalMemory, r3_1_motion_and_lock_take_no_more_than_is_planned_and_not_much_less) {
#ifdef MILLSTREAM_SANITIZED
    GTEST_SKIP() << "sanitizers keep memory that was given back";
#endif
    const c10::InferenceMode inference;
    bound_allocator();
    const std::vector<at::Tensor> inputs = moving_pictures(4);
    std::vector<at::Tensor> outputs;
    for (const at::Tensor& input : inputs) {
        outputs.push_back(at::upsample_nearest2d(input.unsqueeze(0), {2 * kFrame.height, 2 * kFrame.width})[0]);
    }
    MotionEstimator estimator(FlowQuality::full);
    std::vector<Motion> motions;
    const double followed = growth_of([&] {
        for (const at::Tensor& input : inputs) {
            motions.push_back(estimator.next(input));
        }
    });
    double held = 0;
    for (const Motion& motion : motions) {
        held += static_cast<double>(motion.bytes()) / kPixels;
    }
    TemporalLock lock(lock_settings(TemporalPreset::medium));
    const double locked = growth_of([&] {
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            lock.stabilise(motions[i], outputs[i]);
        }
    });
    motions.clear();
    MotionEstimator another(FlowQuality::full);
    TemporalLock other(lock_settings(TemporalPreset::medium));
    const double in_turn = growth_of([&] {
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            other.stabilise(another.next(inputs[i]), outputs[i]);
        }
    });
    const TemporalMemory planned = temporal_memory(DebugView::none, kFrame, kScale, true);
    const double pictures = kScale * kScale * 12.0 * 8 / 3;   // of the second lock, which is not here
    const double apart = static_cast<double>(planned.apart) / kPixels - pictures;
    const double one_motion = static_cast<double>(planned.motion) / kPixels;
    if (std::getenv("MILLSTREAM_MEASURE") != nullptr) {
        std::cout << "bytes a pixel: motion " << followed - held << ", lock " << locked << ", in turn "
                  << in_turn - one_motion << "; planned " << apart << " apart\n";
    }
    EXPECT_NEAR(held, 3 * one_motion, 0.1);
    EXPECT_LE(followed - held + locked, apart);
    EXPECT_LE(in_turn, static_cast<double>(planned.in_turn) / kPixels - pictures + one_motion);
    EXPECT_GT(in_turn, 0.6 * (static_cast<double>(planned.in_turn) / kPixels - pictures))
        << "a timid plan wastes memory";
}

}   // namespace
}   // namespace millstream
