#include "temporal/lock.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "millstream/error.h"
#include "motion/estimator.h"
#include "motion/moving_pictures.h"
#include "resource/memory.h"

namespace millstream {
namespace {

constexpr std::int64_t kHeight = 72;
constexpr std::int64_t kWidth = 96;
constexpr std::int64_t kScale = 2;

at::Tensor enlarged(const at::Tensor& frame) {
    return at::upsample_bicubic2d(frame.unsqueeze(0), {frame.size(1) * kScale, frame.size(2) * kScale}, false)
        .squeeze(0)
        .clamp_(0, 1);
}

at::Tensor shifted(double x, double y) {
    const Texture texture(5);
    return draw(kHeight, kWidth, [&](Point p) { return texture.at({p.x + x, p.y + y}); });
}

double mean_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().mean().item<double>();
}

// Motion and lock together, as a job runs them; the network is a bicubic enlargement unless its output is given.
class Lock {
public:
    explicit Lock(TemporalPreset preset = TemporalPreset::medium)
        : estimator(FlowQuality::full), lock(lock_settings(preset)) {}
    at::Tensor step(const at::Tensor& input) { return step(input, enlarged(input)); }
    at::Tensor step(const at::Tensor& input, const at::Tensor& output) {
        at::Tensor frame = output.clone();
        lock.stabilise(estimator.next(input), frame);
        return frame;
    }
    MotionEstimator estimator;
    TemporalLock lock;
};

TEST(TemporalLock, the_first_frame_and_the_first_after_a_cut_are_the_networks_own) {
    Lock lock;
    const at::Tensor first = shifted(0, 0);
    EXPECT_TRUE(at::equal(lock.step(first), enlarged(first)));
    lock.step(shifted(0.5, 0));
    const at::Tensor other = at::full({3, kHeight, kWidth}, 0.9);
    EXPECT_TRUE(at::equal(lock.step(other), enlarged(other)));
    EXPECT_FALSE(lock.lock.weight().defined());
}

TEST(TemporalLock, still_areas_stay_bit_identical_whatever_the_network_does) {
    at::manual_seed(1);
    Lock lock;
    const at::Tensor input = shifted(0, 0);
    const at::Tensor first = lock.step(input);
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(at::equal(lock.step(input, noisy(enlarged(input), 3)), first));
    }
    at::Tensor half = input.clone();
    half.narrow(1, 0, 30).copy_(shifted(2, 0).narrow(1, 0, 30));
    const at::Tensor mixed = lock.step(half, noisy(enlarged(half), 3));
    const std::int64_t unchanged = (30 + 2) * kScale;
    EXPECT_TRUE(at::equal(mixed.narrow(1, unchanged, kHeight * kScale - unchanged),
                          first.narrow(1, unchanged, kHeight * kScale - unchanged)));
    EXPECT_FALSE(at::equal(mixed.narrow(1, 0, 50), first.narrow(1, 0, 50)));
}

// R4.4: the frame before is at hand in memory, as the lock left it.
TEST(TemporalLock, calms_noise_on_a_still_scene_the_more_the_stronger) {
    double before = 1e9;
    for (const TemporalPreset preset : {TemporalPreset::low, TemporalPreset::medium, TemporalPreset::high}) {
        at::manual_seed(1);
        Lock lock(preset);
        at::Tensor last;
        at::Tensor last_raw;
        double flicker = 0;
        double raw_flicker = 0;
        for (int i = 0; i < 12; ++i) {
            const at::Tensor input = noisy(shifted(0, 0), 3);
            const at::Tensor raw = enlarged(input);
            const at::Tensor frame = lock.step(input, raw);
            if (i > 4) {
                flicker += (frame - last).square().mean().item<double>();
                raw_flicker += (raw - last_raw).square().mean().item<double>();
            }
            last = frame;
            last_raw = raw;
        }
        EXPECT_LT(flicker, 0.45 * raw_flicker);
        EXPECT_LT(flicker, before);
        before = flicker;
    }
}

// Whatever the number of bits, noise is measured against the range of codes.
TEST(TemporalLock, trusts_history_as_much_in_10_bits_as_in_8) {
    const auto weight = [](double most_code, double noise) {
        at::manual_seed(1);
        Lock lock;
        for (int i = 0; i < 5; ++i) {
            const at::Tensor input = (noisy(shifted(0.3 * i, 0), noise) * most_code).round() / most_code;
            lock.step(input);
        }
        return lock.lock.weight().mean().item<double>();
    };
    for (const double noise : {2.0, 5.0}) {
        EXPECT_NEAR(weight(1023, noise), weight(255, noise), 0.02) << noise;
        EXPECT_GT(weight(1023, noise), 0.4) << noise;
    }
}

TEST(TemporalLock, comes_nearer_to_the_clean_picture_when_a_noisy_one_pans) {
    at::manual_seed(1);
    Lock lock;
    double error = 0;
    double raw_error = 0;
    for (int i = 0; i < 10; ++i) {
        const at::Tensor clean = shifted(0.7 * i, -0.4 * i);
        const at::Tensor input = noisy(clean, 4);
        const at::Tensor truth = enlarged(clean);
        const at::Tensor frame = lock.step(input);
        if (i > 3) {
            error += (frame - truth).square().mean().item<double>();
            raw_error += (enlarged(input) - truth).square().mean().item<double>();
        }
    }
    EXPECT_LT(error, 0.7 * raw_error);
}

TEST(TemporalLock, a_sprite_leaves_no_ghost_behind) {
    const auto scene = [](double t) {
        const Texture background(5);
        return draw(kHeight, kWidth, [&](Point p) {
            const bool sprite = std::hypot(p.x - 25 - 6 * t, p.y - 36) < 14;
            return sprite ? 0.95 - 0.1 * background.at({p.x - 6 * t, p.y}) : 0.3 * background.at(p);
        });
    };
    Lock lock;
    at::Tensor last;
    double leaked = 0;
    double changed = 0;
    for (int i = 0; i < 8; ++i) {
        const at::Tensor input = scene(i);
        const at::Tensor raw = enlarged(input);
        const at::Tensor frame = lock.step(input, raw);
        if (i > 0) {   // the share of the last frame that shines through where much has changed
            const at::Tensor gone = last - raw;
            const at::Tensor where = (gone.abs() > 24.0 / 255).to(at::kFloat);
            leaked += ((frame - raw) * gone * where).sum().item<double>();
            changed += (gone * gone * where).sum().item<double>();
        }
        last = raw;
    }
    ASSERT_GT(changed, 1);
    EXPECT_LT(std::abs(leaked / changed), 0.01);
}

// A grey picture with fine detail of a few codes, which a bright contrasty one would hide: there the lock sees that the
// brightness changed and lets go. The network's output is that and coding noise.
at::Tensor faint() {
    const Texture shape(5);
    return draw(kHeight, kWidth,
                [&](Point p) { return 0.35 + 0.06 * shape.at(p) + 0.015 * std::sin(2.1 * p.x) * std::sin(1.9 * p.y); });
}

struct Fade {
    const char* name;
    std::function<at::Tensor(const at::Tensor& picture, double share)> apply;
};

const Fade kFades[] = {
    {"from black", [](const at::Tensor& picture, double share) { return picture * share; }},
    {"to black", [](const at::Tensor& picture, double share) { return picture * (1 - share); }},
    {"from white", [](const at::Tensor& picture, double share) { return 1 - (1 - picture) * share; }},
    {"to white", [](const at::Tensor& picture, double share) { return 1 - (1 - picture) * (1 - share); }},
    {"in light, from black",
     [](const at::Tensor& picture, double share) { return picture * std::pow(share, 1 / 2.2); }},
    {"dissolve",
     [](const at::Tensor& picture, double share) { return picture * (1 - share) + share * picture.flip(2); }},
};

double sharpness(const at::Tensor& picture) {
    const at::Tensor rows = picture.narrow(1, 1, picture.size(1) - 2);
    return (rows.narrow(2, 2, picture.size(2) - 2) + rows.narrow(2, 0, picture.size(2) - 2) -
            2 * rows.narrow(2, 1, picture.size(2) - 2))
        .abs()
        .mean()
        .item<double>();
}

TEST(TemporalLock, a_fade_is_no_worse_for_it_and_no_blurrier) {
    constexpr int frames = 24;
    const at::Tensor picture = faint();
    for (const Fade& fade : kFades) {
        at::manual_seed(4);
        Lock lock;
        double error = 0;
        double raw_error = 0;
        double sharp = 0;
        double raw_sharp = 0;
        for (int i = 0; i <= frames; ++i) {
            const at::Tensor clean = fade.apply(picture, static_cast<double>(i) / frames);
            const at::Tensor truth = enlarged(clean);
            const at::Tensor raw = noisy(truth, 0.7);
            const at::Tensor frame = lock.step((clean * 255).round() / 255, raw);
            error += (frame - truth).square().mean().item<double>();
            raw_error += (raw - truth).square().mean().item<double>();
            sharp += sharpness(frame);
            raw_sharp += sharpness(truth);
        }
        EXPECT_LT(10 * std::log10(error / raw_error), 0.1) << fade.name;
        EXPECT_GT(sharp, 0.95 * raw_sharp) << fade.name;
    }
}

TEST(TemporalLock, lets_go_where_an_area_gets_brighter_by_no_more_than_the_noise) {
    at::manual_seed(6);
    Lock lock;
    const at::Tensor scene = shifted(0, 0) * 0.5;
    at::Tensor shadow = at::zeros({1, kHeight, kWidth});
    shadow.narrow(1, 20, 30).narrow(2, 30, 40).fill_(7.0 / 255);
    for (int i = 0; i < 4; ++i) {
        lock.step(noisy(scene, 2));
    }
    const at::Tensor raw = enlarged(noisy(scene + shadow, 2));
    const at::Tensor frame = lock.step(noisy(scene + shadow, 2), raw);
    const auto inside = [](const at::Tensor& t) { return t.narrow(1, 48, 44).narrow(2, 68, 64); };
    const auto outside = [](const at::Tensor& t) { return t.narrow(1, 108, 32); };
    EXPECT_LT(std::abs((inside(frame) - inside(raw)).mean().item<double>()), 1.75 / 255) << "a quarter of the change";
    EXPECT_GT((outside(frame) - outside(raw)).abs().mean().item<double>(), 0.5 / 255) << "noise is still averaged";
}

TEST(TemporalLock, takes_flicker_out_of_the_networks_output) {
    at::manual_seed(3);
    Lock lock;
    at::Tensor last;
    double change = 0;
    double raw_change = 0;
    at::Tensor last_raw;
    for (int i = 0; i < 8; ++i) {   // input: coding noise of half a code; output: detail that comes and goes
        const at::Tensor input = noisy(shifted(0, 0), 0.5);
        const at::Tensor raw = noisy(enlarged(input), 2);
        const at::Tensor frame = lock.step(input, raw);
        if (i > 0) {
            change += mean_difference(frame, last);
            raw_change += mean_difference(raw, last_raw);
        }
        last = frame;
        last_raw = raw;
    }
    EXPECT_LT(change, 0.7 * raw_change);
}

TEST(TemporalLock, values_outside_the_nominal_range_survive) {
    at::manual_seed(1);
    Lock lock;
    const at::Tensor white = at::full({3, kHeight, kWidth}, 1.05);
    lock.step(noisy(shifted(0, 0), 0), at::full({3, kHeight * kScale, kWidth * kScale}, 1.05));
    const at::Tensor frame = lock.step(shifted(0.01, 0), at::full({3, kHeight * kScale, kWidth * kScale}, 1.05));
    EXPECT_GT(frame.min().item<float>(), 1.049F);
    Lock inside;
    for (int i = 0; i < 4; ++i) {
        const at::Tensor input = at::rand({3, kHeight, kWidth}).round();
        const at::Tensor result = inside.step(input, at::upsample_nearest2d(input.unsqueeze(0), {144, 192}).squeeze(0));
        EXPECT_GE(result.min().item<float>(), 0);
        EXPECT_LE(result.max().item<float>(), 1);
    }
}

TEST(TemporalLock, works_at_every_scale_and_size) {
    at::manual_seed(1);
    for (const std::int64_t scale : {1, 2, 3, 4}) {
        for (const auto& [height, width] : {std::pair{16, 16}, {9, 50}, {45, 63}}) {
            Lock lock;
            for (int i = 0; i < 3; ++i) {
                const at::Tensor frame =
                    lock.step(at::rand({3, height, width}) * 0.1 + 0.4, at::rand({3, height * scale, width * scale}));
                EXPECT_TRUE(frame.isfinite().all().item<bool>()) << scale << ": " << height << "x" << width;
            }
            EXPECT_TRUE(lock.lock.weight().defined());
        }
    }
}

TEST(TemporalLock, a_reset_and_another_output_size_forget_history) {
    Lock lock;
    lock.step(shifted(0, 0));
    lock.lock.reset();
    EXPECT_EQ(lock.lock.bytes(), 0U);
    const at::Tensor input = noisy(shifted(0, 0), 2);
    EXPECT_TRUE(at::equal(lock.step(input), enlarged(input)));
    EXPECT_TRUE(at::equal(lock.step(input, input), input)) << "x1 after x2";
}

TEST(TemporalLock, history_that_exceeds_its_bytes_is_not_kept) {
    MotionEstimator estimator(FlowQuality::fast);
    TemporalLock lock(lock_settings(TemporalPreset::high), 1000);
    for (int i = 0; i < 3; ++i) {
        const at::Tensor input = noisy(shifted(0, 0), 3);
        at::Tensor frame = enlarged(input);
        lock.stabilise(estimator.next(input), frame);
        EXPECT_TRUE(at::equal(frame, enlarged(input)));
        EXPECT_EQ(lock.bytes(), 0U);
    }
}

TEST(TemporalLock, a_frame_that_does_not_belong_to_its_motion_is_refused) {
    Lock lock;
    lock.step(shifted(0, 0));
    EXPECT_THROW(lock.step(shifted(0, 0), at::zeros({3, kHeight * 2 + 1, kWidth * 2})), Error);
    EXPECT_THROW(lock.step(shifted(0, 0), at::zeros({1, kHeight * 2, kWidth * 2})), Error);
}

TEST(TemporalLock, memory_does_not_grow) {
    Lock lock;
    const at::Tensor inputs = at::rand({8, 3, 16, 16}) * 0.2 + 0.4;
    const at::Tensor outputs = at::rand({8, 3, 32, 32});
    std::uint64_t settled = 0;
    for (int i = 0; i < 1000; ++i) {
        lock.step(inputs[i % 8], outputs[i % 8]);
        if (i == 300) {
            settled = resident_bytes();
        }
    }
    EXPECT_EQ(lock.lock.bytes(), (3U * 32 * 32 + 16 * 16) * sizeof(float));
    EXPECT_LT(resident_bytes(), settled + (2U << 20U));
}

}   // namespace
}   // namespace millstream
