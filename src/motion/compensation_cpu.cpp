#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "motion/compensation.h"
#include "motion/compensation_rows.h"

namespace millstream {
namespace {

using namespace compensation;

constexpr std::int64_t kRowsATask = 32;

Planes planes(const at::Tensor& frame) {
    const auto* first = frame.const_data_ptr<float>();
    const std::int64_t plane = frame.size(2) * frame.size(3);
    return {{first, first + plane, first + 2 * plane}, frame.size(2), frame.size(3)};
}

}   // namespace

Motion CpuCompensation::compensate(const at::Tensor& now, const at::Tensor& before, at::Tensor flow, at::Tensor light) {
    const std::int64_t height = now.size(2);
    const std::int64_t width = now.size(3);
    const std::int64_t plane = height * width;
    Motion motion;
    motion.cut = false;
    motion.flow = flow.squeeze(0);
    const Light change{light.const_data_ptr<float>()[0], light.const_data_ptr<float>()[1]};
    motion.light = std::move(light);
    motion.warped = at::empty({3, height, width}, now.options());
    motion.residual = at::empty({height, width}, now.options());
    motion.difference = at::empty({height, width}, now.options());
    motion.valid = at::empty({height, width}, now.options().dtype(at::kBool));
    motion.still = at::empty({height, width}, now.options().dtype(at::kBool));
    float* const moves = motion.flow.mutable_data_ptr<float>();
    float* const warped = motion.warped.mutable_data_ptr<float>();
    float* const residual = motion.residual.mutable_data_ptr<float>();
    float* const difference = motion.difference.mutable_data_ptr<float>();
    bool* const valid = motion.valid.mutable_data_ptr<bool>();
    bool* const still = motion.still.mutable_data_ptr<bool>();
    const Planes to = planes(now);
    const Planes from = planes(before);

    changed_.resize(static_cast<std::size_t>(plane));
    at::parallel_for(0, height, kRowsATask, [&](std::int64_t first, std::int64_t end) {
        std::vector<std::uint8_t> work(static_cast<std::size_t>(width + 4));
        for (std::int64_t y = first; y < end; ++y) {
            const std::int64_t row = y * width;
            compensate_row(to, from, change, y,
                           {.flow_x = moves + row,
                            .flow_y = moves + plane + row,
                            .warped = {warped + row, warped + plane + row, warped + 2 * plane + row},
                            .residual = residual + row,
                            .difference = difference + row,
                            .valid = valid + row});
            changed_row(to, from, y, work.data(), changed_.data() + row);
        }
    });
    constexpr std::int64_t reach = kStillWindow / 2;
    at::parallel_for(0, height, kRowsATask, [&](std::int64_t first, std::int64_t end) {
        for (std::int64_t y = first; y < end; ++y) {
            bool* const row = still + y * width;
            std::fill_n(row, width, true);
            for (std::int64_t i = std::max(y - reach, std::int64_t{0}); i <= std::min(y + reach, height - 1); ++i) {
                const std::uint8_t* const changed = changed_.data() + i * width;
                std::transform(row, row + width, changed, row, [](bool all, std::uint8_t any) { return all & !any; });
            }
        }
    });
    motion.noise = noise_scale(motion.residual);
    return motion;
}

at::Tensor compensation::luma_plane(const at::Tensor& rgb) {
    const std::int64_t plane = rgb.size(1) * rgb.size(2);
    at::Tensor result = at::empty({1, 1, rgb.size(1), rgb.size(2)}, rgb.options());
    const auto* from = rgb.const_data_ptr<float>();
    auto* to = result.mutable_data_ptr<float>();
    constexpr std::int64_t pixels_a_task = 1 << 16;
    at::parallel_for(0, plane, pixels_a_task, [&](std::int64_t first, std::int64_t end) {
        luma_row(from + first, from + plane + first, from + 2 * plane + first, end - first, to + first);
    });
    return result;
}

}   // namespace millstream
